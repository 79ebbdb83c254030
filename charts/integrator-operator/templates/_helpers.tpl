{{- define "integrator-operator.name" -}}
{{- .Values.nameOverride | default .Chart.Name | trunc 63 | trimSuffix "-" }}
{{- end }}

{{/* The beginning of every name; short enough for what is added to it. */}}
{{- define "integrator-operator.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 36 | trimSuffix "-" }}
{{- else }}
{{- $name := .Values.nameOverride | default .Chart.Name }}
{{- if contains $name .Release.Name }}
{{- .Release.Name | trunc 36 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name $name | trunc 36 | trimSuffix "-" }}
{{- end }}
{{- end }}
{{- end }}

{{- define "integrator-operator.serviceAccountName" -}}
{{- if .Values.serviceAccount.create }}
{{- .Values.serviceAccount.name | default (printf "%s-controller-manager" (include "integrator-operator.fullname" .)) }}
{{- else }}
{{- .Values.serviceAccount.name | default "default" }}
{{- end }}
{{- end }}

{{- define "integrator-operator.leaseNamespace" -}}
{{- .Values.leaderElection.namespace | default .Release.Namespace }}
{{- end }}

{{- define "integrator-operator.selectorLabels" -}}
app.kubernetes.io/name: {{ include "integrator-operator.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
control-plane: controller-manager
{{- end }}

{{- define "integrator-operator.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
app.kubernetes.io/name: {{ include "integrator-operator.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | replace "+" "_" | trunc 63 | trimSuffix "-" | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* annotations renders those of the metadata of an object: commonAnnotations, and its own, which win. It takes a list of the context and a map. */}}
{{- define "integrator-operator.annotations" -}}
{{- $context := index . 0 }}
{{- with merge (dict) (index . 1) $context.Values.commonAnnotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
{{- end }}
{{- end }}

{{- define "integrator-operator.image" -}}
{{- if .Values.image.digest -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end }}
{{- end }}

{{- define "integrator-operator.metricsCertificate" -}}
{{- if .Values.metrics.certificateSecretName }}
{{- .Values.metrics.certificateSecretName }}
{{- else if .Values.metrics.certManager.enabled }}
{{- include "integrator-operator.fullname" . }}-metrics-cert
{{- end }}
{{- end }}

{{/* metricsHost is the name of the metrics Service within the cluster. */}}
{{- define "integrator-operator.metricsHost" -}}
{{ include "integrator-operator.fullname" . }}-controller-manager-metrics.{{ .Release.Namespace }}.svc
{{- end }}

{{/* args are the flags of the manager, one a line. */}}
{{- define "integrator-operator.args" -}}
{{- with .Values.leaderElection }}
{{- if .enabled }}
- --leader-elect
{{- with .namespace }}
- --leader-election-namespace={{ . }}
{{- end }}
{{- with .id }}
- --leader-election-id={{ . }}
{{- else }}
{{- /* That of the manager changes with these, and old and new pods would not wait for each other. */}}
{{- if or $.Values.watchNamespaces $.Values.watchLabelSelector }}
- --leader-election-id={{ include "integrator-operator.fullname" $ }}.{{ $.Release.Namespace }}
{{- end }}
{{- end }}
{{- with .leaseDuration }}
- --leader-elect-lease-duration={{ . }}
{{- end }}
{{- with .renewDeadline }}
- --leader-elect-renew-deadline={{ . }}
{{- end }}
{{- with .retryPeriod }}
- --leader-elect-retry-period={{ . }}
{{- end }}
{{- end }}
{{- end }}
- --health-probe-bind-address=:{{ .Values.healthPort }}
{{- with .Values.watchNamespaces }}
- --watch-namespaces={{ join "," . }}
{{- end }}
{{- with .Values.watchLabelSelector }}
- {{ printf "--watch-label-selector=%s" . | quote }}
{{- end }}
{{- with .Values.accountShare }}
- --account-share={{ . }}
{{- end }}
{{- if .Values.metrics.enabled }}
- --metrics-bind-address=:{{ .Values.metrics.port }}
{{- if not .Values.metrics.secure }}
- --metrics-secure=false
{{- else if include "integrator-operator.metricsCertificate" . }}
- --metrics-cert-path=/metrics-cert
{{- end }}
{{- end }}
{{- with .Values.api }}
{{- with .allowedHosts }}
- --allowed-api-hosts={{ join "," . }}
{{- end }}
{{- if .allowPrivateAddresses }}
- --allow-private-addresses
{{- end }}
{{- if .httpsProxySecret.name }}
- --https-proxy=$(INTEGRATOR_HTTPS_PROXY)
{{- else if .httpsProxy }}
- {{ printf "--https-proxy=%s" .httpsProxy | quote }}
{{- end }}
{{- with .noProxy }}
- {{ printf "--no-proxy=%s" (join "," .) | quote }}
{{- end }}
{{- with .nat64Prefixes }}
- {{ printf "--nat64-prefixes=%s" (join "," .) | quote }}
{{- end }}
{{- if or .ca.configMapName .ca.secretName }}
- --ca-file=/api-ca/{{ .ca.key }}
{{- end }}
{{- end }}
{{- with .Values.ownership.ownerId }}
- --owner-id={{ . }}
{{- end }}
{{- with .Values.ownership.formerOwnerIds }}
- --former-owner-ids={{ join "," . }}
{{- end }}
{{- with .Values.createUnconfirmedTimeout }}
- --create-unconfirmed-timeout={{ . }}
{{- end }}
{{- with .Values.concurrentImports }}
- --concurrent-imports={{ . }}
{{- end }}
{{- with .Values.concurrentRuns }}
- --concurrent-runs={{ . }}
{{- end }}
{{- with .Values.log.level }}
- --zap-log-level={{ . }}
{{- end }}
{{- with .Values.log.format }}
- --zap-encoder={{ . }}
{{- end }}
{{- with .Values.log.timeEncoding }}
- --zap-time-encoding={{ . }}
{{- end }}
{{- with .Values.otlpEndpoint }}
- {{ printf "--otlp-endpoint=%s" . | quote }}
{{- end }}
{{- with .Values.extraArgs }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* volumes of the manager's own. */}}
{{- define "integrator-operator.volumes" -}}
{{- with include "integrator-operator.metricsCertificate" . }}
{{- if and $.Values.metrics.enabled $.Values.metrics.secure }}
- name: metrics-cert
  secret:
    secretName: {{ . }}
    items:
    - key: tls.crt
      path: tls.crt
    - key: tls.key
      path: tls.key
{{- end }}
{{- end }}
{{- with .Values.api.ca }}
{{- if .configMapName }}
- name: api-ca
  configMap:
    name: {{ .configMapName }}
    items:
    - key: {{ .key }}
      path: {{ .key }}
{{- else if .secretName }}
- name: api-ca
  secret:
    secretName: {{ .secretName }}
    items:
    - key: {{ .key }}
      path: {{ .key }}
{{- end }}
{{- end }}
{{- with .Values.extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "integrator-operator.volumeMounts" -}}
{{- if and .Values.metrics.enabled .Values.metrics.secure (include "integrator-operator.metricsCertificate" .) }}
- name: metrics-cert
  mountPath: /metrics-cert
  readOnly: true
{{- end }}
{{- if or .Values.api.ca.configMapName .Values.api.ca.secretName }}
- name: api-ca
  mountPath: /api-ca
  readOnly: true
{{- end }}
{{- with .Values.extraVolumeMounts }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "integrator-operator.env" -}}
{{- with .Values.goMemLimit }}
- name: GOMEMLIMIT
  value: {{ . }}
{{- end }}
{{- with .Values.api.httpsProxySecret }}
{{- if .name }}
- name: INTEGRATOR_HTTPS_PROXY
  valueFrom:
    secretKeyRef:
      name: {{ .name }}
      key: {{ .key }}
{{- end }}
{{- end }}
{{- with .Values.extraEnv }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* checks fails for values that contradict each other, where the schema cannot say it. */}}
{{- define "integrator-operator.checks" -}}
{{- if and (not .Values.leaderElection.enabled) (gt (int .Values.replicaCount) 1) }}
{{- fail "replicaCount is greater than 1: set leaderElection.enabled to true, or several managers work at the same time" }}
{{- end }}
{{- if and (not .Values.serviceAccount.create) (not .Values.serviceAccount.name) .Values.rbac.create }}
{{- fail "serviceAccount.create is false: set serviceAccount.name, or the ServiceAccount default of the namespace gets the rights of the manager" }}
{{- end }}
{{- if and .Values.watchNamespaces .Values.rbac.create .Values.metrics.enabled .Values.metrics.secure }}
{{- fail "watchNamespaces is set, and metrics.secure needs rights in the cluster, to ask who wants the metrics: set metrics.enabled to false, or metrics.secure to false" }}
{{- end }}
{{- if and .Values.admissionPolicies.secrets (semverCompare "<1.33.0-0" .Capabilities.KubeVersion.Version) }}
{{- fail "admissionPolicies.secrets needs Kubernetes 1.33: set it to false" }}
{{- end }}
{{- end }}
