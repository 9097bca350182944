{{- define "money-enrichment.name" -}}
{{- if contains .Chart.Name .Release.Name }}{{ .Release.Name | trunc 45 | trimSuffix "-" }}{{ else }}{{ printf "%s-%s" .Release.Name .Chart.Name | trunc 45 | trimSuffix "-" }}{{ end }}
{{- end }}

{{/* of: the root; part: bridge, worker, codec-server or topics */}}
{{- define "money-enrichment.selector" -}}
app.kubernetes.io/name: {{ .root.Chart.Name }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .part }}
{{- end }}

{{- define "money-enrichment.labels" -}}
{{ include "money-enrichment.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version }}
{{- end }}

{{- define "money-enrichment.image" -}}
{{- if .Values.image.digest }}{{ .Values.image.repository }}@{{ .Values.image.digest }}{{ else }}{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}{{ end }}
{{- end }}

{{/*
MiB of a worker. 300 for Node, Temporal's core and the clients; the cache; 30 for each shard, as one process may come to have all of them; and at
least 50 workflows of 0.2 MB for each shard and version, whatever the cache.
*/}}
{{- define "money-enrichment.workerMemory" -}}
{{- $shards := int .Values.topics.shards -}}
{{- $least := mul 10 $shards (int .Values.worker.versions) -}}
{{- .Values.worker.memory | default (printf "%dMi" (add 300 (max (int .Values.worker.workflowCacheMb) $least) (mul 30 $shards))) -}}
{{- end }}

{{/*
MiB of a bridge: 200 for Node and the clients, 256 for users that have much or wait, and for each partition, as one process may come to have all of
them, 16 held, 3 times 4 fetched, 8 of dead letters and 10 on their way.
*/}}
{{- define "money-enrichment.bridgeMemory" -}}
{{- .Values.bridge.memory | default (printf "%dMi" (add 456 (mul 46 (int .Values.topics.partitions)))) -}}
{{- end }}

{{/* Variables that a process has no use for, and no secret of. */}}
{{- define "money-enrichment.useless" -}}
{{- $values := "SCHEMA_REGISTRY_|ENRICHMENT_VALUE_FORMAT|ENRICHMENT_[A-Z]+_READER_SCHEMA|ENRICHMENT_USER_ID_HASH_KEY|ENRICHMENT_SESSION_SERVICE_|OTEL_" -}}
{{- if eq .part "codec-server" }}^(KAFKA_|{{ $values }})
{{- else if eq .part "topics" }}^(TEMPORAL_|ENRICHMENT_CODEC_|ENRICHMENT_ENCRYPTION_|{{ $values }})
{{- else }}^ENRICHMENT_CODEC_{{ end }}
{{- end }}

{{/* The variables of a process, sorted; env: its own, which win. root, part, env */}}
{{- define "money-enrichment.env" -}}
{{- $fixed := dict
  "KAFKA_BROKERS" (required "kafka.brokers is needed: host:port, several separated by commas" .root.Values.kafka.brokers)
  "TEMPORAL_ADDRESS" (required "temporal.address is needed: host:port" .root.Values.temporal.address)
  "TEMPORAL_NAMESPACE" .root.Values.temporal.namespace
  "ENRICHMENT_APP_ID" .root.Values.appId
  "ENRICHMENT_SESSION_SERVICE_URL" (required "sessionService.url is needed: the http(s) address of the session service" .root.Values.sessionService.url)
  "ENRICHMENT_METRICS_PORT" "9464" -}}
{{- $files := dict -}}
{{- range .root.Values.files }}{{- $_ := set $files .variable (printf "/etc/money-enrichment/%s/%s" .secret .key) }}{{- end -}}
{{- $all := merge (dict) .env $files $fixed .root.Values.env -}}
{{- $useless := include "money-enrichment.useless" . -}}
{{- range $name := keys $all | sortAlpha }}
{{- if not (regexMatch $useless $name) }}
- name: {{ $name }}
  {{- $value := get $all $name }}
  {{- /* A number of a values file is a float: 1048576 would be written 1.048576e+06. */}}
  value: {{ if and (kindIs "float64" $value) (eq $value (floor $value)) }}{{ $value | int64 | quote }}{{ else }}{{ $value | toString | quote }}{{ end }}
{{- end }}
{{- end }}
{{- end }}

{{/* Each secret once, whatever number of its keys the process uses. root, part */}}
{{- define "money-enrichment.secrets" -}}
{{- $names := list -}}
{{- $useless := include "money-enrichment.useless" . -}}
{{- range .root.Values.files }}{{- if not (regexMatch $useless .variable) }}{{- $names = append $names .secret }}{{- end }}{{- end -}}
{{- $names | uniq | join "," -}}
{{- end }}

{{- define "money-enrichment.podSecurity" -}}
runAsNonRoot: true
runAsUser: 10001
runAsGroup: 10001
fsGroup: 10001
seccompProfile: { type: RuntimeDefault }
{{- end }}

{{- define "money-enrichment.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: { drop: [ALL] }
{{- end }}

{{- define "money-enrichment.mounts" -}}
- { name: tmp, mountPath: /tmp }
{{- range splitList "," (include "money-enrichment.secrets" .) }}
{{- if . }}
- { name: {{ printf "secret-%s" . | quote }}, mountPath: {{ printf "/etc/money-enrichment/%s" . | quote }}, readOnly: true }
{{- end }}
{{- end }}
{{- end }}

{{- define "money-enrichment.volumes" -}}
- { name: tmp, emptyDir: { sizeLimit: 64Mi } }
{{- range splitList "," (include "money-enrichment.secrets" .) }}
{{- if . }}
- { name: {{ printf "secret-%s" . | quote }}, secret: { secretName: {{ . | quote }}, defaultMode: 0440 } }
{{- end }}
{{- end }}
{{- end }}

{{/* root, part, replicas (absent: somebody else decides), memory, process (its values), env, args, port, portName, probes */}}
{{- define "money-enrichment.deployment" -}}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ include "money-enrichment.name" .root }}-{{ .part }}
  labels: {{- include "money-enrichment.labels" . | nindent 4 }}
spec:
  {{- if hasKey . "replicas" }}
  replicas: {{ .replicas }}
  {{- end }}
  revisionHistoryLimit: 5
  # One after the other, and none besides: each that comes or goes moves shards or partitions.
  strategy: { type: RollingUpdate, rollingUpdate: { maxUnavailable: 1, maxSurge: 0 } }
  selector:
    matchLabels: {{- include "money-enrichment.selector" . | nindent 6 }}
  template:
    metadata:
      labels:
        {{- include "money-enrichment.labels" . | nindent 8 }}
        {{- with .process.podLabels }}{{ toYaml . | nindent 8 }}{{ end }}
      {{- with .process.podAnnotations }}
      annotations: {{- toYaml . | nindent 8 }}
      {{- end }}
    spec:
      automountServiceAccountToken: false
      enableServiceLinks: false
      # SIGTERM drains within it. No preStop: nothing is sent to these pods, they fetch.
      terminationGracePeriodSeconds: 30
      securityContext: {{- include "money-enrichment.podSecurity" .root | nindent 8 }}
      {{- with .root.Values.serviceAccount.name }}
      serviceAccountName: {{ . | quote }}
      {{- end }}
      {{- with .root.Values.imagePullSecrets }}
      imagePullSecrets: {{- toYaml . | nindent 8 }}
      {{- end }}
      topologySpreadConstraints:
        - maxSkew: 1
          topologyKey: kubernetes.io/hostname
          whenUnsatisfiable: ScheduleAnyway
          labelSelector:
            matchLabels: {{- include "money-enrichment.selector" . | nindent 14 }}
      containers:
        - name: {{ .part }}
          image: {{ include "money-enrichment.image" .root | quote }}
          imagePullPolicy: {{ .root.Values.image.pullPolicy }}
          args: {{- toYaml .args | nindent 12 }}
          env: {{- include "money-enrichment.env" (dict "root" .root "part" .part "env" .env) | nindent 12 }}
          ports:
            - { name: {{ .portName }}, containerPort: {{ .port }} }
          {{- toYaml .probes | nindent 10 }}
          resources:
            requests: { cpu: {{ .process.cpu.request | quote }}, memory: {{ .memory | quote }} }
            limits: { {{ with .process.cpu.limit }}cpu: {{ . | quote }}, {{ end }}memory: {{ .memory | quote }} }
          securityContext: {{- include "money-enrichment.containerSecurity" .root | nindent 12 }}
          volumeMounts:
            {{- include "money-enrichment.mounts" . | nindent 12 }}
            {{- with .process.extraVolumeMounts }}{{ toYaml . | nindent 12 }}{{ end }}
      volumes:
        {{- include "money-enrichment.volumes" . | nindent 8 }}
        {{- with .process.extraVolumes }}{{ toYaml . | nindent 8 }}{{ end }}
      {{- with .process.nodeSelector }}
      nodeSelector: {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with .process.tolerations }}
      tolerations: {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with .process.affinity }}
      affinity: {{- toYaml . | nindent 8 }}
      {{- end }}
{{- end }}

{{/* HTTP begins when Kafka and Temporal were reached: up to five minutes of start. */}}
{{- define "money-enrichment.healthProbes" -}}
startupProbe:
  httpGet: { path: /healthz, port: metrics }
  periodSeconds: 5
  failureThreshold: 60
livenessProbe:
  httpGet: { path: /healthz, port: metrics }
  periodSeconds: 10
  timeoutSeconds: 3
  failureThreshold: 3
readinessProbe:
  httpGet: { path: /readyz, port: metrics }
  periodSeconds: 5
  timeoutSeconds: 3
  failureThreshold: 2
{{- end }}
