// What the parameter file of an environment decides.

@export()
type modelChoice = {
  name: string
  version: string
  @description('Thousands of tokens a minute.')
  capacity: int
}

@export()
type scaleChoice = {
  @description('Megabytes of an instance.')
  memoryMB: 512 | 2048 | 4096
  @description('40 to 1000.')
  maximumInstances: int
  @description('Requests that one instance serves at a time.')
  requestsPerInstance: int
  @description('Instances that never sleep, for requests.')
  alwaysReadyHttp: int
  @description('Instances that never sleep, for clips.')
  alwaysReadyBlob: int
}

@export()
type edgeChoice = {
  @description('Managed rules come with Premium.')
  sku: 'Standard_AzureFrontDoor' | 'Premium_AzureFrontDoor'
  @description('Detection: the whole firewall only logs, its limit for each address too.')
  wafMode: 'Detection' | 'Prevention'
  @description('With Premium: what the default rule set does with a request that looks like an attack.')
  managedRulesAction: 'Log' | 'Block'
  @description('From one address.')
  requestsPerFiveMinutes: int
  @description('Seconds between health probes of each edge location; 0: none.')
  probeSeconds: int
}

@export()
type retentionChoice = {
  @description('Of a recording.')
  clipDays: int
  @description('Of what is made of it, and of its job.')
  artefactDays: int
  telemetryDays: int
  @description('Gigabytes of telemetry a day; -1: no cap.')
  telemetryDailyCapGb: int
}

@export()
type thresholdChoice = {
  @description('Per cent of requests, and of turns.')
  failedPercent: int
  @description('Milliseconds from the end of the utterance to the end of the turn, for 95 % of turns.')
  slowTurnMs: int
  @description('Milliseconds from the end of the utterance to the first sound of the reply, likewise; the next three of its parts.')
  firstAudioMs: int
  sttMs: int
  assistantMs: int
  ttsMs: int
  @description('Requests that a provider turned away within a quarter of an hour.')
  throttledRequests: int
}

@export()
type budgetChoice = {
  @description('A month, in the currency of the bill.')
  amount: int
  @description('First day of the month in which the budget was first made, as yyyy-MM-dd.')
  start: string
}

@description('One line for each field of voice_core/settings.py that is decided here. Empty: the code\'s default.')
@export()
type settingChoice = {
  SPEECH_LANGUAGE: string
  SPEECH_VOICE: string
  @description('Of a model that thinks; others refuse it, and need it empty.')
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
  @description('Of another deployment. The app\'s identity needs its role there, which this template does not give it.')
  OPENAI_FALLBACK_ENDPOINT: string
  OPENAI_FALLBACK_MODEL: string
  @description('Of a Speech resource in another region; likewise.')
  SPEECH_FALLBACK_ENDPOINT: string
  OTEL_TRACES_SAMPLER_ARG: string
  SLOW_TURN_SECONDS: string
  REQUEST_CLAIM_SECONDS: string
}
