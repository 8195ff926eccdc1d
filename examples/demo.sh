#!/usr/bin/env bash
# The main job on what it makes itself: a small generated language, a pocket BERT pretrained on it,
# two tasks in it, three seeds.
#
#   TOMBOLA=path/to/tombola demo.sh OUT
set -euo pipefail
shopt -s inherit_errexit
if (($# < 1)); then
  sed -n '5s/^# *//p' "$0" >&2
  exit 2
fi
out=$1
if [[ -z ${TOMBOLA:-} ]]; then
  echo "demo.sh: TOMBOLA is not set, expected the path of the program tombola" >&2
  exit 2
fi
tombola=$TOMBOLA
here=$(dirname "$0")
export OMP_WAIT_POLICY=${OMP_WAIT_POLICY:-passive}  # two programs at once: spinning starves
mkdir -p "$out"

printf '== a generated language, and a pocket BERT pretrained on it\n'
"$tombola" pocket "$out/data" --train 2000 --quiet
pretrained=$("$tombola" pretrain --corpus "$out/data/corpus.txt" --vocab "$out/data/vocab.txt" \
  --name pocket --layers 4 --hidden 64 --heads 4 --intermediate 256 --epochs 4 --out "$out/runs" --quiet)
printf '%s\n' "$pretrained"
base=$(tail -n 1 <<<"$pretrained")/model

# Models this small are faster two at a time with one thread each; the bits are the same.
declare -a jobs
for task in pocket-sentiment pocket-acceptability; do
  THREADS=1 "$here/main_job.sh" "$base" "$out/data" $task "$out" --epochs 6 --rate 1e-3 \
    --warm-up 0.1 --max-length 32 >"$out/$task.txt" &
  jobs+=($!)
done
for job in "${jobs[@]}"; do wait "$job"; done
cat "$out"/pocket-*.txt

printf '\n== what was found\n'
"$tombola" report "$out/runs" --out "$out"
printf 'finished in %d s\n' "$SECONDS"
