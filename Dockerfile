# syntax=docker/dockerfile:1

# The builder runs on the machine's own platform and compiles for the target's.
FROM --platform=$BUILDPLATFORM golang:1.26 AS builder
ARG TARGETOS
ARG TARGETARCH
WORKDIR /workspace

# The modules in a layer of their own: they change less often than the code.
COPY go.mod go.sum ./
RUN go mod download

COPY main.go ./
COPY api/ api/
COPY controllers/ controllers/
COPY internal/ internal/
# What "manager version" says.
ARG VERSION
ARG COMMIT
RUN CGO_ENABLED=0 GOOS=$TARGETOS GOARCH=$TARGETARCH \
    go build -trimpath -o manager -ldflags="-s -w \
    -X github.com/integrator-operator/integrator-operator/internal/command.version=$VERSION \
    -X github.com/integrator-operator/integrator-operator/internal/command.commit=$COMMIT" .

# Nothing but CA certificates, time zones and a user: no shell, no package manager.
FROM gcr.io/distroless/static:nonroot
COPY --from=builder /workspace/manager /manager
USER 65532:65532
ENTRYPOINT ["/manager"]
