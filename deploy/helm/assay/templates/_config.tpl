{{/* The node's configuration: what is configured, with what follows from the pod over it. */}}
{{- define "assay.config" -}}
{{- $config := deepCopy .Values.config -}}
{{- $_ := set $config "data" "/var/lib/assay/node" -}}
{{- $_ := set $config "operations" (merge (dict "listen" "0.0.0.0:9464") (get $config "operations" | default dict)) -}}
{{- $_ := set $config "ledger" (dict "profile" "/etc/assay/profile/profile.json") -}}
{{- $api := get $config "api" | default dict -}}
{{- $names := append (get $api "names" | default list) (printf "%s.%s.svc" (include "assay.name" .) .Release.Namespace) | uniq -}}
{{- $_ := set $config "api" (merge (dict "listen" "0.0.0.0:8443" "grpc" "0.0.0.0:8444" "names" $names) $api) -}}
{{- if get $config "fleets" -}}
{{- $_ := set $config "proving" (merge (dict "cache" "/var/lib/assay/proving") (get $config "proving" | default dict)) -}}
{{- end -}}
{{- if eq (include "assay.broker" .) "embedded" -}}
{{- $_ := set $config "broker" (merge (dict "listen" "0.0.0.0:8883") (get $config "broker" | default dict)) -}}
{{- end -}}
{{- if include "assay.workers" . -}}
{{- $_ := set $config.broker "workers" "0.0.0.0:4222" -}}
{{- end -}}
{{- toYaml $config -}}
{{- end -}}

{{/* Where devices connect: to the node, to a cluster, or nowhere, where the organisation owns no fleet. */}}
{{- define "assay.broker" -}}
{{- if not (get .Values.config "fleets") -}}
none
{{- else if dig "broker" "url" "" .Values.config -}}
cluster
{{- else -}}
embedded
{{- end -}}
{{- end -}}

{{/* Not empty where prove-workers connect to the node. */}}
{{- define "assay.workers" -}}
{{- if and .Values.service.workers.enabled (eq (include "assay.broker" .) "embedded") -}}
yes
{{- end -}}
{{- end -}}

{{/* Not empty where the node logs in to Vault with a token of Kubernetes'. */}}
{{- define "assay.vaultToken" -}}
{{- if and (eq (dig "keys" "driver" "" .Values.config) "vault") (eq (dig "keys" "vault" "login" "method" "" .Values.config) "kubernetes") -}}
yes
{{- end -}}
{{- end -}}
