#!/usr/bin/env bash
# A pretrained model through the study's questions: on the first task the main job (main_job.sh) and
# the searches below; on the others the searches alone, whose tickets are not retrained.
#
#   TOMBOLA=path/to/tombola glue_study.sh MODEL DATA OUT TASK[:ROWS:EPOCHS]...
#
# ROWS (0: all) and EPOCHS are those of `tombola train`; the default is 0:3. SEEDS (default: 1 2 3)
# names the seeds, OPTIONS (default: --rate 1e-4 --warm-up 0.1) goes to every training, SEARCHES
# (default: as below) are options of find-masks, one search from the next split by a semicolon, and
# JOBS (default: all cores) is how many seeds run at once, one thread each, which no bit depends on.
# Trainings, searches and evaluations are runs in OUT/runs, so the script can be stopped and
# started, and what it leaves out may follow; a report on all lands in OUT. OUT/compact has the
# compact model of each ticket of heads and MLPs, OUT/log what was printed, a file for each task and
# seed.
set -euo pipefail
shopt -s inherit_errexit
if (($# < 4)); then
  sed -n '5s/^# *//p' "$0" >&2
  exit 2
fi
model=$1 data=$2 out=$3
shift 3
if [[ -z ${TOMBOLA:-} ]]; then
  echo "glue_study.sh: TOMBOLA is not set, expected the path of the program tombola" >&2
  exit 2
fi
export TOMBOLA THREADS=1 OMP_WAIT_POLICY=passive
here=$(cd "$(dirname "$0")" && pwd)
read -ra training <<<"${OPTIONS:---rate 1e-4 --warm-up 0.1}"
mkdir -p "$out/log"

# On one training run, unless others are named: every kind of unit, of heads and of weights every
# criterion, and a few other ways.
searches=(
  "--prune heads" "--prune mlps" "--prune both" "--prune neurons" "--prune weights"
  "--prune heads --criterion magnitude" "--prune heads --criterion taylor"
  "--prune heads --criterion wanda" "--prune heads --criterion entropy"
  "--prune heads --criterion random" "--prune heads --scope layer"
  "--prune neurons --criterion magnitude"
  "--prune weights --criterion snip" "--prune weights --criterion taylor"
  "--prune weights --criterion fisher" "--prune weights --criterion wanda --scope row"
  "--prune weights --criterion random"
  "--prune weights --schedule one_shot --weight-step 0.5"
  "--prune weights --nm 2:4"
)
if [[ -n ${SEARCHES:-} ]]; then IFS=';' read -ra searches <<<"$SEARCHES"; fi

one_seed() {  # one_seed TASK ROWS EPOCHS SEED RETRAINED
  local task=$1 seed=$4 full options=("${training[@]}" --rows "$2" --epochs "$3")
  if [[ $5 == retrained ]]; then
    SEEDS=$seed "$here/main_job.sh" "$model" "$data" "$task" "$out" "${options[@]}"
  fi
  full=$("$TOMBOLA" train --model "$model" --data "$data" --task "$task" --seed "$seed" \
    --out "$out/runs" --threads 1 --quiet "${options[@]}" | tail -n 1)
  local search answer
  for search in "${searches[@]}"; do
    # shellcheck disable=SC2086  # words of an option list
    answer=$("$TOMBOLA" find-masks --run "$full" --data "$data" $search --out "$out/runs" \
      --threads 1 --quiet)
    printf '%s: %s\n' "$search" "$answer"
    if [[ $search == "--prune both" && ! -e $out/compact/$task-s$seed ]]; then
      mkdir -p "$out/compact"
      "$TOMBOLA" compact --run "$full" --data "$data" \
        --ticket "$(tail -n 1 <<<"$answer")/ticket.safetensors" \
        --out "$out/compact/$task-s$seed" --threads 1 --quiet
    fi
  done
}
export -f one_seed
export model data out here
declare -p training searches >"$out/log/settings"

first=retrained
for named in "$@"; do
  IFS=: read -r task rows epochs <<<"$named"
  for seed in ${SEEDS:-1 2 3}; do
    printf '%s\0' "$task ${rows:-0} ${epochs:-3} $seed $first"
  done
  first=searched
done | xargs -0 -P "${JOBS:-$(nproc)}" -I{} bash -c '
  set -euo pipefail
  shopt -s inherit_errexit
  source "$out/log/settings"
  set -- {}
  exec >"$out/log/$1-s$4.txt" 2>&1
  one_seed "$@"' || { echo "glue_study: a seed failed, as the last lines of its log in $out/log say" >&2; exit 1; }

"$TOMBOLA" report "$out/runs" --out "$out"
