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
  wafMode: 'Detection' | 'Prevention'
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
  @description('Per cent of requests.')
  failedPercent: int
  @description('Milliseconds from request to the end of the answer, for 95 % of turns.')
  slowTurnMs: int
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
  MAX_AUDIO_BYTES: string
  MAX_AUDIO_SECONDS: string
  MAX_TEXT_CHARACTERS: string
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
}
