#!/bin/sh
# Names each image of a Dockerfile by the digest that its registry has for the tag now:
# hack/pin-images.sh DOCKERFILE. The tag stays, for who reads it and for Dependabot, which keeps the
# digest current. Run by "make pin-images".
set -eu
: "${CONTAINER_TOOL:=docker}"
file=$1

# The image of the "# syntax=" line, and those of FROM lines without stages.
images=$(sed -n -E 's/^# syntax=([^ ]+).*/\1/p; s/^FROM (--[^ ]+ )*([^ ]+[:.][^ ]*).*/\2/p' "$file" | sort -u)
for image in $images; do
	tag=${image%@*}
	digest=$("$CONTAINER_TOOL" buildx imagetools inspect --format '{{.Manifest.Digest}}' "$tag")
	case $digest in
	sha256:*) [ "${#digest}" -eq 71 ] || { echo "$tag: $digest is no digest" >&2; exit 1; } ;;
	*) echo "$tag: $digest is no digest" >&2; exit 1 ;;
	esac
	echo "$tag@$digest"
	sed -i "s|$image\$|$tag@$digest|; s|$image |$tag@$digest |" "$file"
done
