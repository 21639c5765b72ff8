{{- /* What the schema cannot say: rules between keys, and between a release and its upgrade. */}}

{{- define "famfs-csi.validate" -}}
{{- include "famfs-csi.validatePools" . -}}
{{- include "famfs-csi.validateClasses" . -}}
{{- include "famfs-csi.validatePaths" . -}}
{{- include "famfs-csi.validateMembers" . -}}
{{- include "famfs-csi.validateUpgrade" . -}}
{{- end }}

{{- define "famfs-csi.validatePools" -}}
{{- $names := dict -}}
{{- $devices := dict -}}
{{- $uuids := dict -}}
{{- range $index, $pool := .Values.pools -}}
{{- if hasKey $names $pool.name }}{{ fail (printf "pools[%d].name: %q is the name of pools[%v] already" $index $pool.name (get $names $pool.name)) }}{{ end -}}
{{- if hasKey $devices $pool.device }}{{ fail (printf "pools[%d].device: %q is the device of pools[%v] already" $index $pool.device (get $devices $pool.device)) }}{{ end -}}
{{- if $pool.uuid -}}
{{- if hasKey $uuids $pool.uuid }}{{ fail (printf "pools[%d].uuid: %q is the UUID of pools[%v] already" $index $pool.uuid (get $uuids $pool.uuid)) }}{{ end -}}
{{- if eq (toString $pool.format) "ifEmpty" }}{{ fail (printf "pools[%d].format: a pool with a uuid is formatted already: leave \"ifEmpty\" out" $index) }}{{ end -}}
{{- $_ := set $uuids $pool.uuid (toString $index) -}}
{{- end -}}
{{- $_ := set $names $pool.name (toString $index) -}}
{{- $_ := set $devices $pool.device (toString $index) -}}
{{- end -}}
{{- end }}

{{- define "famfs-csi.validateClasses" -}}
{{- $pools := list -}}
{{- range .Values.pools }}{{ $pools = append $pools .name }}{{ end -}}
{{- $seen := list -}}
{{- $default := "" -}}
{{- range $index, $class := .Values.storageClasses -}}
{{- $where := printf "storageClasses[%d]" $index -}}
{{- if has $class.name $seen }}{{ fail (printf "%s.name: %q is used twice" $where $class.name) }}{{ end -}}
{{- $seen = append $seen $class.name -}}
{{- if $class.default -}}
{{- if $default }}{{ fail (printf "%s.default: %q is the default class already" $where $default) }}{{ end -}}
{{- $default = $class.name -}}
{{- end -}}
{{- $pool := dig "parameters" "pool" "" $class -}}
{{- if and (not $pool) (gt (len $pools) 1) }}{{ fail (printf "%s.parameters.pool: required where there are several pools (%s)" $where (join ", " $pools)) }}{{ end -}}
{{- $isUuid := regexMatch "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$" $pool -}}
{{- if and $pool (not $isUuid) (not (has $pool $pools)) }}{{ fail (printf "%s.parameters.pool: %q is none of the pools (%s)" $where $pool (join ", " $pools)) }}{{ end -}}
{{- end -}}
{{- end }}

{{- /* A socket's path has at most 107 bytes. */}}
{{- define "famfs-csi.validatePaths" -}}
{{- range list (printf "%s/plugins/%s/csi.sock" .Values.kubeletDir .Values.driverName) (printf "%s/plugins_registry/%s-reg.sock" .Values.kubeletDir .Values.driverName) -}}
{{- if gt (len .) 107 }}{{ fail (printf "kubeletDir and driverName: the socket %s would have %d bytes, and 107 is the most: shorten driverName" . (len .)) }}{{ end -}}
{{- end -}}
{{- end }}

{{- /* Hosts that have a pool mounted are told nothing of a change, and nobody would see both. */}}
{{- define "famfs-csi.validateMembers" -}}
{{- $namespace := include "famfs-csi.membersNamespace" . -}}
{{- if eq $namespace .Release.Namespace }}{{ fail (printf "members.namespace: %q is the namespace of the release; members need one of their own" $namespace) }}{{ end -}}
{{- $sign := lookup "coordination.k8s.io/v1" "Lease" .Release.Namespace (printf "%s-members-moved" .Values.driverName) -}}
{{- $text := dig "metadata" "annotations" "famfs.io/members" "" $sign -}}
{{- if $text -}}
{{- $before := get (fromJson $text) "namespace" -}}
{{- if and $before (ne $before $namespace) }}{{ fail (printf "members.namespace: the members of %s are in %q, and there may be hosts that are not told of %q: leave it" .Values.driverName $before $namespace) }}{{ end -}}
{{- end -}}
{{- end }}

{{- /* Asks the cluster, so that an upgrade is refused in words before anything is changed. */}}
{{- define "famfs-csi.validateUpgrade" -}}
{{- if .Release.IsUpgrade -}}
{{- $controller := lookup "apps/v1" "Deployment" .Release.Namespace (printf "%s-controller" (include "famfs-csi.fullname" .)) -}}
{{- $before := dig "metadata" "labels" "famfs.io/driver" .Values.driverName $controller -}}
{{- if ne $before .Values.driverName }}{{ fail (printf "driverName: the release's volumes belong to %q, which cannot become %q: install a second release instead" $before .Values.driverName) }}{{ end -}}
{{- $attached := dig "spec" "attachRequired" .Values.attach (lookup "storage.k8s.io/v1" "CSIDriver" "" .Values.driverName) -}}
{{- if ne $attached .Values.attach }}{{ fail (printf "attach: is %v in this release, and Kubernetes does not let it change: uninstall the release and install it again, its volumes stay" $attached) }}{{ end -}}
{{- end -}}
{{- end }}
