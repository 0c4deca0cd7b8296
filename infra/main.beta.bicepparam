using './main.bicep'

param environmentName = 'beta'
param location = readEnvironmentVariable('AZURE_LOCATION', 'eastus2')
param authClientId = readEnvironmentVariable('AUTH_CLIENT_ID')
param alertEmail = readEnvironmentVariable('ALERT_EMAIL')

param model = {
  name: 'gpt-5.4-mini'
  version: '2026-03-17'
  capacity: 100
}

param scale = {
  memoryMB: 2048
  maximumInstances: 40
  requestsPerInstance: 16
  alwaysReadyHttp: 1
  alwaysReadyBlob: 1
}

param edge = {
  sku: 'Standard_AzureFrontDoor'
  wafMode: 'Prevention'
  managedRulesAction: 'Log'
  requestsPerFiveMinutes: 300
  probeSeconds: 255
}

param retention = {
  clipDays: 14
  artefactDays: 30
  telemetryDays: 30
  telemetryDailyCapGb: 5
}

param alertThresholds = {
  failedPercent: 2
  slowTurnMs: 7000
  firstAudioMs: 4000
  sttMs: 1500
  assistantMs: 4000
  ttsMs: 1500
  throttledRequests: 10
}

param budget = {
  amount: 400
  start: readEnvironmentVariable('BUDGET_START')
}

param settings = {
  SPEECH_LANGUAGE: 'en-US'
  SPEECH_VOICE: 'en-US-AvaMultilingualNeural'
  OPENAI_REASONING_EFFORT: 'none'
  SYSTEM_PROMPT: ''
  HISTORY_TURNS: '20'
  HISTORY_TOKENS: '3000'
  MAX_REPLY_TOKENS: '300'
  CONVERSATION_DAYS: '90'
  TURNS_PER_MINUTE: '10'
  TRANSCRIPTS_PER_MINUTE: '20'
  SPEECHES_PER_MINUTE: '20'
  SESSIONS_PER_HOUR: '60'
  CLIPS_PER_DAY: '50'
  READS_PER_MINUTE: '300'
  CHANGES_PER_MINUTE: '120'
  AUDIO_SECONDS_PER_DAY: '14400'
  LIMITS_WHEN_DOWN: 'open'
  LIMITS_SECONDS: '2'
  MAX_AUDIO_BYTES: '10000000'
  MAX_AUDIO_SECONDS: '60'
  MAX_TEXT_CHARACTERS: '4000'
  BODY_SECONDS: '180'
  BODY_STALL_SECONDS: '10'
  MAX_CLIP_BYTES: '1000000000'
  MAX_CLIP_SECONDS: '14400'
  CLIP_UPLOAD_SECONDS: '900'
  CLIP_SEGMENTS: '4'
  CLIP_STT_SECONDS: '60'
  CLIP_ATTEMPTS: '5'
  CLIP_CLAIM_SECONDS: '60'
  CLIP_SUMMARY_CHARACTERS: '2000'
  CLIP_PROMPT: ''
  SPEECH_HOURS: '24'
  ICE_SERVERS: ''
  TURN_URLS: ''
  TURN_SECONDS: '3600'
  ICE_RELAY_ONLY: 'true'
  SESSIONS_MAX: '8'
  SESSIONS_PER_USER: '2'
  SESSION_IDLE_SECONDS: '120'
  SESSION_MAX_SECONDS: '1800'
  SESSION_GRACE_SECONDS: '15'
  STT_SECONDS: '10'
  ASSISTANT_SECONDS: '15'
  TTS_SECONDS: '8'
  CONVERSATIONS_SECONDS: '3'
  STORAGE_SECONDS: '5'
  BREAKER_FAILURES: '5'
  BREAKER_SECONDS: '15'
  PROVIDER_WAIT_SECONDS: '2'
  OPENAI_FALLBACK_ENDPOINT: ''
  OPENAI_FALLBACK_MODEL: ''
  SPEECH_FALLBACK_ENDPOINT: ''
  OTEL_TRACES_SAMPLER_ARG: '0.5'
  SLOW_TURN_SECONDS: '5'
  REQUEST_CLAIM_SECONDS: '15'
}

param pageOrigins = []
