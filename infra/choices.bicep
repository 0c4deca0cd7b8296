// Types of the parameters that an environment's file sets.

@export()
type modelChoice = {
  name: string
  version: string
  @description('Capacity in thousands of tokens per minute.')
  capacity: int
}

@export()
type scaleChoice = {
  @description('Memory of an instance in megabytes.')
  memoryMB: 512 | 2048 | 4096
  @description('Maximum number of instances, 40 to 1000.')
  maximumInstances: int
  @description('Requests that one instance serves concurrently.')
  requestsPerInstance: int
  @description('Always-ready instances for requests.')
  alwaysReadyHttp: int
  @description('Always-ready instances for clips.')
  alwaysReadyBlob: int
}

@export()
type edgeChoice = {
  @description('Tier of Front Door and firewall. Only Premium has managed rules.')
  sku: 'Standard_AzureFrontDoor' | 'Premium_AzureFrontDoor'
  @description('Mode of the firewall. Detection: all rules only log, the limit for each address included.')
  wafMode: 'Detection' | 'Prevention'
  @description('With Premium: action of the default rule set for a request that looks like an attack.')
  managedRulesAction: 'Log' | 'Block'
  @description('Requests that one address may send in five minutes.')
  requestsPerFiveMinutes: int
  @description('Seconds between health probes of each edge location; 0: none.')
  probeSeconds: int
}

@export()
type retentionChoice = {
  @description('Days for which a recording is stored.')
  clipDays: int
  @description('Days for which the artefacts of a recording and its clip are stored.')
  artefactDays: int
  telemetryDays: int
  @description('Cap of telemetry in gigabytes per day; -1: no cap.')
  telemetryDailyCapGb: int
}

@export()
type thresholdChoice = {
  @description('Percentage of failed requests, and of failed turns.')
  failedPercent: int
  @description('Milliseconds from the end of the utterance to the end of the turn, for 95 % of turns.')
  slowTurnMs: int
  @description('Milliseconds from the end of the utterance to the first sound, for 95 % of turns; the next three: its parts.')
  firstAudioMs: int
  sttMs: int
  assistantMs: int
  ttsMs: int
  @description('Requests that a provider throttled within a quarter of an hour.')
  throttledRequests: int
}

@export()
type budgetChoice = {
  @description('Budget per month, in the currency of the bill.')
  amount: int
  @description('First day of the month in which the budget was first created, as yyyy-MM-dd.')
  start: string
}

@description('The fields of voice_core/settings.py that the parameter files set. Empty: the code\'s default.')
@export()
type settingChoice = {
  SPEECH_LANGUAGE: string
  SPEECH_VOICE: string
  @description('Effort of a reasoning model. Leave it empty for other models, which refuse it.')
  OPENAI_REASONING_EFFORT: string
  SYSTEM_PROMPT: string
  HISTORY_TURNS: string
  HISTORY_TOKENS: string
  MAX_REPLY_TOKENS: string
  CONVERSATION_DAYS: string
  TURNS_PER_MINUTE: string
  TRANSCRIPTS_PER_MINUTE: string
  SPEECHES_PER_MINUTE: string
  SESSIONS_PER_HOUR: string
  CLIPS_PER_DAY: string
  READS_PER_MINUTE: string
  CHANGES_PER_MINUTE: string
  AUDIO_SECONDS_PER_DAY: string
  LIMITS_WHEN_DOWN: string
  LIMITS_SECONDS: string
  MAX_AUDIO_BYTES: string
  MAX_AUDIO_SECONDS: string
  MAX_TEXT_CHARACTERS: string
  BODY_SECONDS: string
  BODY_STALL_SECONDS: string
  MAX_CLIP_BYTES: string
  MAX_CLIP_SECONDS: string
  CLIP_UPLOAD_SECONDS: string
  CLIP_SEGMENTS: string
  CLIP_STT_SECONDS: string
  CLIP_ATTEMPTS: string
  CLIP_CLAIM_SECONDS: string
  CLIP_SUMMARY_CHARACTERS: string
  CLIP_PROMPT: string
  SPEECH_HOURS: string
  ICE_SERVERS: string
  TURN_URLS: string
  TURN_SECONDS: string
  ICE_RELAY_ONLY: string
  SESSIONS_MAX: string
  SESSIONS_PER_USER: string
  SESSION_IDLE_SECONDS: string
  SESSION_MAX_SECONDS: string
  SESSION_GRACE_SECONDS: string
  STT_SECONDS: string
  ASSISTANT_SECONDS: string
  TTS_SECONDS: string
  CONVERSATIONS_SECONDS: string
  STORAGE_SECONDS: string
  BREAKER_FAILURES: string
  BREAKER_SECONDS: string
  PROVIDER_WAIT_SECONDS: string
  @description('Endpoint of another deployment. The app\'s identity needs its role there, which this template does not assign.')
  OPENAI_FALLBACK_ENDPOINT: string
  OPENAI_FALLBACK_MODEL: string
  @description('Endpoint of a Speech resource in another region. The app\'s identity needs its role there too.')
  SPEECH_FALLBACK_ENDPOINT: string
  OTEL_TRACES_SAMPLER_ARG: string
  SLOW_TURN_SECONDS: string
  REQUEST_CLAIM_SECONDS: string
}
