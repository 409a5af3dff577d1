{{- define "firelift.selector" -}}
app.kubernetes.io/name: firelift
app.kubernetes.io/component: operator
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "firelift.labels" -}}
app.kubernetes.io/name: firelift
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end }}

{{- define "firelift.image" -}}
{{- with .Values.image -}}
{{- if .digest }}{{ .repository }}@{{ .digest }}{{ else }}{{ .repository }}:{{ .tag | default $.Chart.AppVersion }}{{ end -}}
{{- end -}}
{{- end }}

{{- define "firelift.restrictedContainer" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end }}

{{- define "firelift.restrictedPod" -}}
runAsNonRoot: true
seccompProfile: {type: RuntimeDefault}
{{- end }}

{{- /* The settings that the operator and the hook before its deletion share. */ -}}
{{- define "firelift.environment" -}}
{{- $ours := dict
  "FIRELIFT_NAMESPACES" (join "," .Values.watchNamespaces)
  "FIRELIFT_CLUSTER_ID" .Values.clusterID
  "FIRELIFT_LEASE_NAMESPACE" .Release.Namespace
  "FIRELIFT_LEASE_NAME" "firelift-operator"
  "FIRELIFT_LEASE_DURATION_SECONDS" (toString .Values.operator.leaseDurationSeconds)
  "FIRELIFT_WORKER_IMAGE" (.Values.worker.image | default (include "firelift.image" .))
  "FIRELIFT_WORKER_SERVICE_ACCOUNT" .Values.worker.serviceAccountName
  "FIRELIFT_TENANCY_REQUIRED" (toString .Values.tenancy.required)
  "FIRELIFT_TERRAFORM_RUNS" (toString .Values.terraform.runs)
  "FIRELIFT_TERRAFORM_GRACE_SECONDS" (toString .Values.terraform.graceSeconds)
  "FIRELIFT_HEALTH_PORT" (toString .Values.operator.healthPort)
  "FIRELIFT_PAGE_PORT" (ternary (toString .Values.page.port) "0" .Values.page.create)
  "FIRELIFT_LOG_FORMAT" .Values.operator.logFormat -}}
{{- range $name, $value := $ours }}
- name: {{ $name }}
  value: {{ $value | quote }}
{{- end }}
{{- range .Values.operator.env }}
{{- if hasKey $ours .name }}
{{- fail (printf "operator.env must not set %s: the chart sets it, from a value of its own" .name) }}
{{- end }}
- {{ toYaml . | nindent 2 | trim }}
{{- end }}
{{- end }}
