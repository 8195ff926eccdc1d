#!/usr/bin/env bash
# The whole main job on what it makes itself: a small generated language, a pocket BERT pretrained on
# it, two tasks in it, three seeds. TOMBOLA is the program, the first argument the output folder.
#
# Every step is a run: what is done is not done again, so the script can be stopped and started.
set -euo pipefail
out=${1:?usage: TOMBOLA=path/to/tombola demo.sh FOLDER}
tombola=${TOMBOLA:?names the program tombola}
export OMP_WAIT_POLICY=${OMP_WAIT_POLICY:-passive}  # threads that spin starve each other on small products
started=$SECONDS
data=$out/data runs=$out/runs tickets=$out/tickets
mkdir -p "$out" "$runs" "$tickets"

say() { printf '\n== %s\n' "$*"; }
# Shows what a step answers; its own answer is the last line, the run's folder.
step() {
  local answer
  answer=$("$tombola" "$@" --quiet)
  printf '%s\n' "$answer" >&2
  tail -n 1 <<<"$answer"
}

say "a generated language, and a pocket BERT pretrained on it"
"$tombola" pocket "$data" --quiet
base=$(step pretrain --corpus "$data/corpus.txt" --vocab "$data/vocab.txt" --name pocket-language \
  --layers 4 --hidden 64 --heads 4 --intermediate 256 --epochs 2 --out "$runs")/model

declare -a found
for task in pocket-sentiment pocket-acceptability; do
  case $task in
    pocket-sentiment) epochs=2 ;;
    *) epochs=4 ;;
  esac
  train=(train --model "$base" --data "$data" --task $task --epochs $epochs --rate 5e-4
    --warm-up 0.1 --max-length 32 --out "$runs")
  for seed in 1 2 3; do
    say "$task, seed $seed: train, find the good ticket, retrain good, random and bad ones"
    full=$(step "${train[@]}" --seed $seed)
    for what in both weights; do
      good=$(step find-masks --run "$full" --prune $what --out "$runs")/ticket.safetensors
      found+=("$good")
      for kind in random bad; do
        "$tombola" controls --ticket "$good" --kind $kind --seed $seed --model "$full/model" \
          --out "$tickets/$task-$what-s$seed-$kind.safetensors" --quiet >/dev/null
      done
      for ticket in "$good" "$tickets/$task-$what-s$seed-"{random,bad}.safetensors; do
        step evaluate --run "$full" --ticket "$ticket" --out "$runs" >/dev/null
        step "${train[@]}" --seed $seed --ticket "$ticket" >/dev/null
      done
    done
  done
done

say "how much the seeds agree (heads and MLPs)"
for t in 0 6; do
  "$tombola" agreement "${found[t]}" "${found[t + 2]}" "${found[t + 4]}"
done
say "overlap of the first two seeds, beside what chance gives"
"$tombola" compare "${found[0]}" "${found[2]}"

say "report"
report=$("$tombola" report "$runs" --out "$out")
printf '%s\n' "finished in $((SECONDS - started)) s; the report is $report"
