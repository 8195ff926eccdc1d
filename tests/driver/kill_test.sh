#!/usr/bin/env bash
# kill_test.sh DRIVER [KILLS] [SEED]: ends the program with `kill -9` at random moments of training,
# of searches and of drawing controls, starts it again, and compares every byte of what comes out
# with that of steps that nobody disturbed. Each kill is one that found the program alive.
set -euo pipefail
driver=${1:?names the driver} kills=${2:-6}
seed=${3:-$RANDOM}
RANDOM=$seed
echo "kill_test: $kills kills, seed $seed"
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
cd "$here"
export OMP_WAIT_POLICY=passive

fail() {
  echo "kill_test: $*" >&2
  exit 1
}

"$driver" pocket data --corpus 200 --train 96 --dev 120 --quiet >/dev/null
base=$("$driver" pretrain --corpus data/corpus.txt --vocab data/vocab.txt --layers 3 --hidden 32 --heads 4 \
  --intermediate 64 --threads 1 --quiet --out base | tail -n 1)/model

# Runs go to a folder of runs, drawn masks to a new folder, a ticket to a file.
place() {
  case $1 in
    */random) echo "$1/out.safetensors" ;;
    *) echo "$1/out" ;;
  esac
}

# Every step's arguments but --out. Searches and controls start from what nobody disturbed.
declare -A step
names=(train ticket both weights random study)
step[train]="train --model $base --data data --task pocket-sentiment --max-length 32 --rate 1e-3
  --epochs 24 --checkpoint-seconds 0 --threads 1 --quiet"
full=$("$driver" ${step[train]} --out "$(place whole/train)" | tail -n 1)
step[both]="find-masks --run $full --prune both --guard 0.6 --threads 1 --quiet"
step[weights]="find-masks --run $full --prune weights --guard 0.6 --weight-step 0.1 --threads 1 --quiet"
good=$("$driver" ${step[both]} --out "$(place whole/both)" | tail -n 1)
step[ticket]="${step[train]} --ticket $good/ticket.safetensors"
for n in 1 2 3 4 5; do
  mkdir -p masks/pocket/seed_$n
  cp "$good"/*_mask.npy masks/pocket/seed_$n
done
step[study]="controls --mode study --kind bizzaro --ticket masks --quiet"
step[random]="controls --kind random --ticket $good/ticket.safetensors --quiet"

# The files of a finished step with their sums; of results all but the time that they took.
sums() {
  (cd "$1" && find . -type f | LC_ALL=C sort | while read -r file; do
    if [[ $file == */result.json ]]; then
      printf '%s  %s\n' "$(grep -v -e '"seconds"' -e '"tokens_per_second"' "$file" | sha256sum)" "$file"
    else
      sha256sum "$file"
    fi
  done)
}

declare -A took sum
for name in "${names[@]}"; do
  rm -rf whole/"$name"
  mkdir -p whole/"$name"
  begin=$EPOCHREALTIME
  "$driver" ${step[$name]} --out "$(place whole/"$name")" >/dev/null
  took[$name]=$((${EPOCHREALTIME/./} - ${begin/./}))
  sum[$name]=$(sums whole/"$name")
  mkdir -p killed/"$name"
done

same() {
  [[ $(sums killed/"$1") == "${sum[$1]}" ]] ||
    fail "$1 ended with other bytes: $(diff <(echo "${sum[$1]}") <(sums killed/"$1"))"
}

declare -A killed
for name in "${names[@]}"; do killed[$name]=0; done
done=0 tries=0 finished=0
while ((done < kills)); do
  ((++tries < 20 * kills + 100)) || fail "only $done of $kills kills found the program alive"
  name=${names[tries % ${#names[@]}]}
  at=$(((RANDOM * 32768 + RANDOM) % (took[$name] + 1)))
  code=0
  moment=$(printf '%d.%06d' $((at / 1000000)) $((at % 1000000)))
  {
    timeout -s KILL "$moment" "$driver" ${step[$name]} --out "$(place killed/"$name")" \
      >/dev/null 2>errors || code=$?
  } 2>/dev/null  # the shell's own word on who was killed
  case $code in
    137)
      done=$((done + 1))
      killed[$name]=$((killed[$name] + 1))
      # Each name that a finished step has is whole from the first moment that it is seen.
      while read -r file; do
        whole=whole/$name/${file#killed/"$name"/}
        case $file in
          *.tmp-* | */lock | */state.safetensors | */trace-so-far.safetensors | */result.json) ;;
          *) cmp -s "$file" "$whole" || fail "$file is not whole after kill $done" ;;
        esac
      done < <(find killed/"$name" -type f)
      (($(find killed/"$name" -name '*.tmp-*' -prune -print | wc -l) <= 2)) ||
        fail "temporaries pile up: $(find killed/"$name" -name '*.tmp-*')"
      ;;
    0)
      same "$name"
      finished=$((finished + 1))
      rm -rf killed/"$name"
      mkdir -p killed/"$name"
      ;;
    2)  # killed when all was done but its own end: a folder of masks is not written twice
      [[ $name == study && $(<errors) == *"is there already"* ]] || fail "$name: $(<errors)"
      same "$name"
      rm -rf killed/"$name"
      mkdir -p killed/"$name"
      ;;
    *) fail "$name ended with $code: $(<errors)" ;;
  esac
done

for name in "${names[@]}"; do
  [[ $name == study && -e killed/study/out ]] ||
    "$driver" ${step[$name]} --out "$(place killed/"$name")" >/dev/null
  same "$name"
done
for name in "${names[@]}"; do printf '%s %d  ' "$name" "${killed[$name]}"; done
printf '\nkill_test: %d kills in %d starts, %d steps finished between them, the same bytes, %d s\n' \
  "$done" "$tries" "$finished" "$SECONDS"
