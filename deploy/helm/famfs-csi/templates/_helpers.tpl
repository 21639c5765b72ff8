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

{{- /* The account of a component's pods: dict "root" $ "component" NAME. That of the data plane is named otherwise than it
was when its records were in the release's namespace: what that one may, pods of this version may not. */}}
{{- define "famfs-csi.account" -}}
{{ include "famfs-csi.fullname" .root }}-{{ eq .component "fused" | ternary "data-plane" .component }}
{{- end }}

{{- /* A key of `members` as text; "" where values of an earlier chart are used again, which have none. dict "root" $ "key" KEY */}}
{{- define "famfs-csi.members" -}}
{{ toString (get (default dict .root.Values.members) .key) }}
{{- end }}

{{- /* Where the hosts say that they have a pool mounted. */}}
{{- define "famfs-csi.membersNamespace" -}}
{{ default (printf "%s-members" (regexReplaceAll "-+$" (trunc 55 .Release.Namespace) "")) (include "famfs-csi.members" (dict "root" . "key" "namespace")) }}
{{- end }}

{{- /* "true" if a token of the data plane can be held to its own node. */}}
{{- define "famfs-csi.hasPolicy" -}}
{{- $given := default "auto" (include "famfs-csi.members" (dict "root" . "key" "policy")) -}}
{{- if or (eq $given "true") (and (eq $given "auto") (.Capabilities.APIVersions.Has "admissionregistration.k8s.io/v1/ValidatingAdmissionPolicy")) }}true{{ end -}}
{{- end }}

{{- /* "true" while pods of the data plane may run whose records are in the release's namespace. */}}
{{- define "famfs-csi.hasEarlier" -}}
{{- $given := default "auto" (include "famfs-csi.members" (dict "root" . "key" "earlierDataPlanes")) -}}
{{- if eq $given "true" }}true{{ end -}}
{{- if and (eq $given "auto") .Release.IsUpgrade -}}
{{- $earlier := printf "%s-fused" (include "famfs-csi.fullname" .) -}}
{{- $set := lookup "apps/v1" "DaemonSet" .Release.Namespace $earlier -}}
{{- $status := dig "status" dict $set -}}
{{- $isNew := ne $earlier (dig "spec" "template" "spec" "serviceAccountName" "" $set) -}}
{{- $isSeen := eq (dig "metadata" "generation" 0 $set | int) (dig "observedGeneration" 0 $status | int) -}}
{{- $isDone := and $isNew $isSeen (ge (dig "updatedNumberScheduled" 0 $status | int) (dig "desiredNumberScheduled" 0 $status | int)) -}}
{{- if and $set (not $isDone) (lookup "v1" "ServiceAccount" .Release.Namespace $earlier) }}true{{ end -}}
{{- end -}}
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
- {name: FAMFS_CSI_MEMBERS_NAMESPACE, value: {{ include "famfs-csi.membersNamespace" . }}}
{{- end }}

{{- /* Where this container is, for commands that are run in it: what its own program is told by arguments. */}}
{{- define "famfs-csi.commandEnvironment" -}}
- {name: FAMFS_CSI_KUBERNETES, value: $(POD_NAMESPACE)}
- {name: FAMFS_CSI_NODE_ID, value: $(NODE_NAME)}
- {name: FAMFS_CSI_HOST_DIR, value: {{ include "famfs-csi.hostDir" . }}}
- {name: FAMFS_CSI_DRIVER_NAME, value: {{ .Values.driverName }}}
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
serviceAccountName: {{ include "famfs-csi.account" . }}
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

{{- /* A binding and the beginning of a policy about the Leases that an account writes in a namespace: dict "root" $ "name" NAME
"account" NAME "namespace" NAME */}}
{{- define "famfs-csi.leasePolicy" -}}
{{- $name := printf "%s.%s.%s" (include "famfs-csi.fullname" .root) .root.Release.Namespace .name }}
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata:
  name: {{ $name }}
  labels:
    {{- include "famfs-csi.componentLabels" (dict "root" .root "component" "fused") | nindent 4 }}
spec:
  policyName: {{ $name }}
  validationActions: [Deny]
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata:
  name: {{ $name }}
  labels:
    {{- include "famfs-csi.componentLabels" (dict "root" .root "component" "fused") | nindent 4 }}
spec:
  failurePolicy: Fail
  matchConstraints:
    namespaceSelector:
      matchLabels: {kubernetes.io/metadata.name: {{ .namespace }}}
    resourceRules:
      - {apiGroups: [coordination.k8s.io], apiVersions: ["*"], operations: [CREATE, UPDATE, DELETE], resources: [leases]}
  matchConditions:
    - name: data-plane
      expression: request.userInfo.username == 'system:serviceaccount:{{ .root.Release.Namespace }}:{{ .account }}'
{{- end }}

{{- /* The node that a pod's token is bound to, as Kubernetes says since 1.30. */}}
{{- define "famfs-csi.tokenNode" -}}
- name: node
  expression: request.userInfo.?extra[?'authentication.kubernetes.io/node-name'][?0].orValue('')
{{- end }}
