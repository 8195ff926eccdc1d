#!/usr/bin/env bash
# The study's main job on one task: for each seed fine-tune, find the good ticket of heads and MLPs
# and that of weights, make random and bad ones of the same size, score all of them without
# retraining, and retrain inside each; then how far the seeds agree.
#
#   TOMBOLA=path/to/tombola main_job.sh MODEL DATA TASK OUT [OPTION OF tombola train...]
#
# SEEDS (default: 1 2 3) names the seeds, THREADS the threads (default: all cores). RETRAINING has
# options for the trainings under a ticket alone, such as --weight-form study. Trainings, searches
# and evaluations are runs in OUT/runs: what is done is not done again, so the script can be stopped
# and started, also from another folder. Random and bad tickets lie in OUT/tickets. `tombola report
# OUT/runs` then makes a report.
set -euo pipefail
shopt -s inherit_errexit
if (($# < 4)); then
  sed -n '6s/^# *//p' "$0" >&2
  exit 2
fi
model=$1 data=$2 task=$3 out=$4
shift 4
if [[ -z ${TOMBOLA:-} ]]; then
  echo "main_job.sh: TOMBOLA is not set, expected the path of the program tombola" >&2
  exit 2
fi
tombola=$TOMBOLA
runs=$out/runs tickets=$out/tickets threads=${THREADS:-$(nproc)}
mkdir -p "$runs" "$tickets"
read -ra retraining <<<"${RETRAINING:-}"
train=(train --model "$model" --data "$data" --task "$task" --out "$runs" "$@")

say() { printf '\n== %s (%d s)\n' "$*" "$SECONDS" >&2; }
# Shows what a step answers; its own answer is the last line, the run's folder.
step() {
  local answer
  answer=$("$tombola" "$@" --threads "$threads" --quiet)
  printf '%s\n' "$answer" >&2
  tail -n 1 <<<"$answer"
}

both=() weights=()  # the good tickets of all seeds
for seed in ${SEEDS:-1 2 3}; do
  say "$task, seed $seed: fine-tuning"
  full=$(step "${train[@]}" --seed "$seed")
  for what in both weights; do
    say "$task, seed $seed: the good ticket ($what), and random and bad ones of its size"
    good=$(step find-masks --run "$full" --data "$data" --prune $what --out "$runs")
    good+=/ticket.safetensors
    declare -n found=$what
    found+=("$good")
    for kind in random bad; do
      "$tombola" controls --ticket "$good" --kind $kind --seed "$seed" --model "$full/model" \
        --out "$tickets/$task-$what-s$seed-$kind.safetensors" --quiet >/dev/null
    done
    for ticket in "$good" "$tickets/$task-$what-s$seed-"{random,bad}.safetensors; do
      step evaluate --run "$full" --data "$data" --ticket "$ticket" --out "$runs" >/dev/null
      step "${train[@]}" --seed "$seed" --ticket "$ticket" "${retraining[@]}" >/dev/null
    done
  done
done

say "$task: how far the seeds agree"
for what in both weights; do
  declare -n found=$what
  if ((${#found[@]} > 1)); then
    "$tombola" agreement "${found[@]}"
    "$tombola" compare "${found[@]}"
  fi
done
