#!/usr/bin/env bash
# Shows two sample reports to a browser, at desktop and phone width, light and dark: each must be
# drawn without a word on the browser's console, and no page may be wider than its screen.
#
# report_screens.sh TEST_ANALYSIS [FOLDER]: the test program that writes the samples, and where to
# leave pages and pictures (else a temporary folder). Exit code 77: there is no browser.
set -euo pipefail
[ $# -ge 1 ] || { echo "usage: report_screens.sh TEST_ANALYSIS [FOLDER]" >&2; exit 2; }
browser=$(command -v chromium || command -v chromium-browser || command -v google-chrome || true)
if [ -z "$browser" ]; then
  echo "skipped: no chromium to show the report"
  exit 77
fi
out=${2:-$(mktemp -d)}
[ $# -ge 2 ] || trap 'rm -rf "$out"' EXIT
mkdir -p "$out"
out=$(cd "$out" && pwd)
TOMBOLA_SCREENS=$out "$1" "sample reports for a browser" >/dev/null
show() { # its own profile, so that a running browser is left alone
  timeout 120 "$browser" --headless --no-sandbox --disable-gpu --hide-scrollbars \
    --user-data-dir="$out/profile" "$@" 2>/dev/null
}
# What a page says on the console, one line each.
console() {
  timeout 120 "$browser" --headless --no-sandbox --disable-gpu --user-data-dir="$out/profile" \
    --enable-logging=stderr --virtual-time-budget=5000 --dump-dom "file://$1" 2>&1 >/dev/null |
    grep ':CONSOLE' || true
}
echo '<script>console.error("noticed")</script>' >"$out/says.html"
console "$out/says.html" | grep -q noticed || { echo "the console is not listened to"; exit 1; }
for kind in runs masks; do
  page=$out/$kind/report.html
  for size in 1280,2400 390,2400; do
    for scheme in light dark; do
      picture=$out/$kind-${size%,*}-$scheme.png
      rm -f "$picture"
      show --window-size=$size --blink-settings=preferredColorScheme=$([ $scheme = dark ] && echo 0 || echo 1) \
        --screenshot="$picture" "file://$page" || true
      # An empty page of this size has under 12 kB.
      bytes=$(stat -c %s "$picture" 2>/dev/null || echo 0)
      [ "$bytes" -gt 20000 ] || { echo "$picture: $bytes bytes, expected a drawn page"; exit 1; }
    done
  done
  said=$(console "$page")
  [ -z "$said" ] || { echo "$page: on the console: $said"; exit 1; }
  # In a frame of 390 pixels, since a headless window has a least width of its own.
  framed=$out/$kind-frame.html
  { printf '<iframe width="390" height="800" srcdoc="'
    sed 's/&/\&amp;/g; s/"/\&quot;/g' "$page"
    printf '"></iframe><script>onload=()=>{document.title="width "+'
    printf 'document.querySelector("iframe").contentDocument.documentElement.scrollWidth}</script>'
  } >"$framed"
  width=$(show --virtual-time-budget=5000 --dump-dom "file://$framed" |
    grep -o '<title>width [0-9]*' | grep -o '[0-9]*$' || true)
  [ -n "$width" ] || { echo "$page: the browser gave no width"; exit 1; }
  # The frame's own scroll bar may take some of the 390.
  [ "$width" -le 390 ] || { echo "$page: is $width pixels wide on a screen of 390"; exit 1; }
  echo "$kind: drawn at 1280 and 390 pixels, light and dark, silent; $width pixels wide on a phone"
done
