{{- /* Names, labels and parts that several templates share. */}}

{{- define "famfs-csi.name" -}}
{{ default .Chart.Name .Values.nameOverride | trunc 40 | trimSuffix "-" }}
{{- end }}

{{- define "famfs-csi.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{ .Values.fullnameOverride | trunc 40 | trimSuffix "-" }}
{{- else if contains (include "famfs-csi.name" .) .Release.Name -}}
{{ .Release.Name | trunc 40 | trimSuffix "-" }}
{{- else -}}
{{ printf "%s-%s" .Release.Name (include "famfs-csi.name" .) | trunc 40 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{- /* Names of objects without a namespace: two releases may have the same name in two namespaces. */}}
{{- define "famfs-csi.clusterName" -}}
{{ printf "%s:%s" .Release.Namespace (include "famfs-csi.fullname" .) }}
{{- end }}

{{- define "famfs-csi.selector" -}}
app.kubernetes.io/name: {{ include "famfs-csi.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "famfs-csi.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{ include "famfs-csi.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
famfs.io/driver: {{ .Values.driverName }}
{{- end }}

{{- /* Labels of a component's object: dict "root" $ "component" NAME */}}
{{- define "famfs-csi.componentLabels" -}}
{{ include "famfs-csi.labels" .root }}
app.kubernetes.io/component: {{ .component }}
{{- end }}

{{- define "famfs-csi.image" -}}
{{ .Values.image.repository }}:{{ default .Chart.AppVersion .Values.image.tag }}
{{- end }}

{{- /* The host's directory of this driver, the same path in every pod. */}}
{{- define "famfs-csi.hostDir" -}}
/run/famfs-csi/{{ .Values.driverName }}
{{- end }}

{{- define "famfs-csi.fusedEndpoint" -}}
unix://{{ include "famfs-csi.hostDir" . }}/fused.sock
{{- end }}

{{- define "famfs-csi.poolsFile" -}}
{{ dict "pools" .Values.pools | toJson }}
{{- end }}

{{- /* "true" if any pool is a real device, which nothing but a privileged container may open. */}}
{{- define "famfs-csi.hasDax" -}}
{{- range .Values.pools }}{{ if hasPrefix "/dev/dax" .device }}true{{ break }}{{ end }}{{ end }}
{{- end }}

{{- /* The directories of simulated devices as a JSON list. */}}
{{- define "famfs-csi.simulatedDirectories" -}}
{{- $directories := list -}}
{{- range .Values.pools }}{{ if not (hasPrefix "/dev/dax" .device) }}{{ $directories = append $directories (dir .device) }}{{ end }}{{ end -}}
{{ $directories | uniq | sortAlpha | toJson }}
{{- end }}

{{- /* How a container of ours sees the memory. dict "root" $ "dev" BOOL: all of the host's /dev. */}}
{{- define "famfs-csi.deviceMounts" -}}
{{- if .dev }}
- {name: dev, mountPath: /dev}
{{- end }}
{{- range $index, $directory := include "famfs-csi.simulatedDirectories" .root | fromJsonArray }}
{{- if not (and $.dev (hasPrefix "/dev/" $directory)) }}
- {name: simulated-{{ $index }}, mountPath: {{ $directory }}}
{{- end }}
{{- end }}
{{- end }}

{{- define "famfs-csi.deviceVolumes" -}}
{{- if .dev }}
- name: dev
  hostPath: {path: /dev, type: Directory}
{{- end }}
{{- range $index, $directory := include "famfs-csi.simulatedDirectories" .root | fromJsonArray }}
{{- if not (and $.dev (hasPrefix "/dev/" $directory)) }}
- name: simulated-{{ $index }}
  hostPath: {path: {{ $directory }}, type: DirectoryOrCreate}
{{- end }}
{{- end }}
{{- end }}

{{- /* Who this process is. */}}
{{- define "famfs-csi.environment" -}}
- name: NODE_NAME
  valueFrom: {fieldRef: {fieldPath: spec.nodeName}}
{{- end }}

{{- /* Who this process is to the API server, which roles that speak to it need. */}}
{{- define "famfs-csi.podEnvironment" -}}
{{ include "famfs-csi.environment" . }}
- name: POD_NAME
  valueFrom: {fieldRef: {fieldPath: metadata.name}}
- name: POD_UID
  valueFrom: {fieldRef: {fieldPath: metadata.uid}}
- name: POD_NAMESPACE
  valueFrom: {fieldRef: {fieldPath: metadata.namespace}}
{{- end }}

{{- /* Of a container that runs as root, because files and sockets of the host are root's, but may nothing else. */}}
{{- define "famfs-csi.restricted" -}}
privileged: false
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end }}

{{- define "famfs-csi.probes" -}}
livenessProbe:
  httpGet: {path: /healthz, port: http}
  initialDelaySeconds: 10
  periodSeconds: 10
  timeoutSeconds: 5
  failureThreshold: 6
readinessProbe:
  httpGet: {path: /readyz, port: http}
  periodSeconds: 2
  timeoutSeconds: 5
{{- end }}

{{- /* What every pod's spec begins with: dict "root" $ "component" NAME of the component's values. */}}
{{- define "famfs-csi.podSpec" -}}
{{- $values := index .root.Values .component -}}
serviceAccountName: {{ include "famfs-csi.fullname" .root }}-{{ .component }}
{{- with .root.Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
nodeSelector:
  {{- include "famfs-csi.nodeSelector" .root | nindent 2 }}
tolerations:
  {{- include "famfs-csi.tolerations" (dict "root" .root "given" $values.tolerations) | nindent 2 }}
securityContext:
  runAsUser: 0
  seccompProfile: {type: RuntimeDefault}
  {{- with $values.seLinuxType }}
  seLinuxOptions: {type: {{ . }}}
  {{- end }}
{{- end }}

{{- /* The memory ordering that the log relies on is tested on amd64 only. */}}
{{- define "famfs-csi.nodeSelector" -}}
{{ toYaml (merge (dict "kubernetes.io/os" "linux" "kubernetes.io/arch" "amd64") .Values.nodeSelector) }}
{{- end }}

{{- /* A node that waits for the driver must let the driver in. */}}
{{- define "famfs-csi.tolerations" -}}
- {key: {{ .root.Values.driverName }}/agent-not-ready, operator: Exists}
{{- with .given }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- /* Labels of a pod, without versions, which would replace pods for nothing: dict "root" $ "component" NAME */}}
{{- define "famfs-csi.podLabels" -}}
{{ include "famfs-csi.selector" .root }}
app.kubernetes.io/component: {{ .component }}
famfs.io/driver: {{ .root.Values.driverName }}
{{- with get .root.Values .component }}
{{- with .podLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}
{{- end }}

{{- define "famfs-csi.hook" -}}
helm.sh/hook: {{ .event }}
helm.sh/hook-weight: {{ .weight | quote }}
helm.sh/hook-delete-policy: before-hook-creation,hook-succeeded,hook-failed
{{- end }}
