#!/usr/bin/env bash
# Iterative magnitude pruning with rewinding (J. Frankle, M. Carbin, "The lottery ticket hypothesis",
# ICLR 2019, section 2): train, remove the smallest of the weights that are left, go back to the
# weights that training began with, train what is left, and so on.
#
#   TOMBOLA=path/to/tombola rewinding.sh MODEL DATA TASK OUT [OPTION OF tombola train...]
#
# Training always begins with MODEL, pretrained: that is the rewinding (T. Chen et al., "The lottery
# ticket hypothesis for pre-trained BERT networks", NeurIPS 2020). ROUNDS (default: 10) says how
# often, SHARE (0.2) how much of what is left goes each time. Rounds end before that where the
# retrained metric is below GUARD (0.9) times that of the full model. SEED (1) is every run's,
# THREADS (all cores) the threads; RETRAINING has options for the trainings under a ticket alone.
# Answers with a table and the last ticket that passed. Every step is a run in OUT: what is done is
# not done again, so the script can be stopped and started.
set -euo pipefail
if (($# < 4)); then
  sed -n '6s/^# *//p' "$0" >&2
  exit 2
fi
model=$1 data=$2 task=$3 out=$4
shift 4
if [[ -z ${TOMBOLA:-} ]]; then
  echo "rewinding.sh: TOMBOLA is not set, expected the path of the program tombola" >&2
  exit 2
fi
tombola=$TOMBOLA
rounds=${ROUNDS:-10} share=${SHARE:-0.2} guard=${GUARD:-0.9} threads=${THREADS:-$(nproc)}
read -ra retraining <<<"${RETRAINING:-}"
train=(train --model "$model" --data "$data" --task "$task" --out "$out" --seed "${SEED:-1}" "$@")

# Shows what a step answers; its own answer is the last line, the run's folder.
step() {
  local answer
  answer=$("$tombola" "$@" --threads "$threads" --quiet) || return
  printf '%s\n' "$answer" >&2
  tail -n 1 <<<"$answer"
}
# The first number, or word, of this name in a run's result.
from_result() { sed -nE "s/^ *\"$2\": \"?([^\",]*)\"?,?$/\1/p" "$1/result.json" | head -n 1; }

run=$(step "${train[@]}")
full=$(from_result "$run" score)
# Which number, and its share that is asked for; of 0 or less a share says nothing.
awk -v full="$full" 'BEGIN { exit !(full > 0) }' || {
  echo "rewinding.sh: the full model's metric is $full, expected one above 0" >&2
  exit 2
}
table=$(printf '%5s  %12s  %7s  %s' round "weights kept" share "$(from_result "$run" metric)")$'\n'
passed="none: the full model"
row() { table+=$(printf '%5s  %12s  %7s  %.4f%s' "$@")$'\n'; }
row 0 all 100.0% "$full" ""
for ((round = 1; round <= rounds; ++round)); do
  # One step that any metric passes: the guard is on the retrained model.
  ticket=$(step find-masks --run "$run" --data "$data" --prune weights --schedule share_of_left \
    --weight-steps 1 --weight-step "$share" --guard-at-least=-1 --out "$out")/ticket.safetensors
  run=$(step "${train[@]}" --ticket "$ticket" "${retraining[@]}")
  score=$(from_result "$run" score)
  read -r kept size < <(tr -d ' \n' <"$run/result.json" |
    sed -E 's/.*"kept":\{"weights":([0-9]+)\}.*"size":\{"weights":([0-9]+)\}.*/\1 \2\n/')
  percent=$(awk -v k="$kept" -v n="$size" 'BEGIN { printf "%.1f%%", 100 * k / n }')
  if awk -v s="$score" -v f="$full" -v g="$guard" 'BEGIN { exit !(s < g * f) }'; then
    row "$round" "$kept" "$percent" "$score" "  below $guard of the full model's"
    break
  fi
  row "$round" "$kept" "$percent" "$score" ""
  passed=$ticket
done
printf '%slast ticket that passed: %s\n' "$table" "$passed"
