#!/bin/sh
# Fails when the built site loads something from elsewhere, or shows a comment that is for the tests: check.sh DIR
set -eu
cd "$1"
status=0
if grep -rnoE '<(script|link|img|iframe)[^>]*(src|href)="?(https?:)?//[^>]*>|@import[^;]*|url\([^)]*//[^)]*\)' --include='*.html' --include='*.css' .; then
	echo "the site loads this from elsewhere, and would not work offline" >&2
	status=1
fi
if grep -rnoE '<!-- *(after|before|exit|file|manager|needs|not run|shows|where):' --include='*.html' .; then
	echo "these comments are for the tests, and not for readers" >&2
	status=1
fi
pages=$(find . -name '*.html' | wc -l)
[ "$pages" -ge 40 ] || { echo "the site has only $pages pages" >&2; status=1; }
[ "$status" = 0 ] && echo "$pages pages in $1"
exit "$status"
