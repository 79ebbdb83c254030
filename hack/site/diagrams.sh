#!/usr/bin/env bash
# Makes the pictures of the pages' Mermaid diagrams for the site, which runs no foreign script. Needs npm and
# Chromium, so it is run only when a diagram changes; "make site" fails until then.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

version=12.3.0
pictures=hack/site/assets/diagrams
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

(cd "$tmp" && npm pack --silent "mermaid@$version" > packed && tar -xzf "$(cat packed)" package/dist/mermaid.min.js)

# Each diagram is a file whose name is the hash of its text, as in layouts/_markup/render-codeblock-mermaid.html.
mkdir "$tmp/diagrams"
awk -v dir="$tmp/diagrams" '
	/^```mermaid$/ { file = dir "/" ++n; inside = 1; next }
	/^```$/ { inside = 0 }
	inside { print > file }' README.md docs/*.md

rm -rf "$pictures"
mkdir -p "$pictures"
for file in "$tmp"/diagrams/*; do
	text=$(cat "$file")
	name=$(printf %s "$text" | sha256sum | cut -c 1-12)
	{
		echo '<!doctype html><meta charset="utf-8"><script src="package/dist/mermaid.min.js"></script><script type="module">'
		echo 'mermaid.initialize({startOnLoad: false, theme: "neutral", htmlLabels: false, flowchart: {htmlLabels: false}, fontFamily: "sans-serif", deterministicIds: true});'
		printf 'const text = new TextDecoder().decode(Uint8Array.from(atob("%s"), c => c.charCodeAt(0)));\n' "$(printf %s "$text" | base64 -w 0)"
		printf 'const {svg} = await mermaid.render("diagram-%s", text);\n' "$name"
		echo 'document.title = "picture:" + btoa(String.fromCharCode(...new TextEncoder().encode(svg)));</script>'
	} > "$tmp/page.html"
	"${CHROMIUM:-chromium}" --headless --no-sandbox --disable-gpu --allow-file-access-from-files --virtual-time-budget=20000 \
		--dump-dom "file://$tmp/page.html" 2> /dev/null > "$tmp/dom"
	sed -n 's/.*<title>picture:\([^<]*\)<.*/\1/p' "$tmp/dom" | base64 -d > "$pictures/$name.svg"
	grep -q '^<svg' "$pictures/$name.svg" || { echo "no picture was made of:" >&2; echo "$text" >&2; exit 1; }
	echo "$pictures/$name.svg"
done
