// All Azure resources of the voice backend, in one resource group. docs/deploy.md describes the deployment.

import { modelChoice, scaleChoice, edgeChoice, retentionChoice, thresholdChoice, budgetChoice, settingChoice } from 'choices.bicep'

targetScope = 'subscription'

@description('Stage of the rollout.')
@allowed(['dev', 'beta', 'prod'])
param environmentName string

param location string

@description('Application (client) id of the app registration whose tokens callers send.')
@minLength(36)
@maxLength(36)
param authClientId string

@description('Email address that receives alerts.')
@minLength(3)
param alertEmail string

param model modelChoice
param scale scaleChoice
param edge edgeChoice
param retention retentionChoice
param alertThresholds thresholdChoice
param budget budgetChoice

@description('The settings that do not depend on a resource below.')
param settings settingChoice

@description('Origins of pages that may call and upload clips, such as https://www.example.com. Apps need no entry.')
param pageOrigins string[]

var unique = uniqueString(subscription().id, environmentName, location)
var stem = 'voice-${environmentName}'
var cosmosDatabase = 'voice'
var tags = {
  'azd-env-name': environmentName
  product: 'voice'
}

resource group 'Microsoft.Resources/resourceGroups@2025-04-01' = {
  name: 'rg-${stem}'
  location: location
  tags: tags
}

module identity 'modules/identity.bicep' = {
  scope: group
  params: {
    name: 'id-${stem}-${unique}'
    location: location
    tags: tags
  }
}

module monitoring 'modules/monitoring.bicep' = {
  scope: group
  params: {
    workspaceName: 'log-${stem}-${unique}'
    insightsName: 'appi-${stem}-${unique}'
    location: location
    tags: tags
    retentionDays: retention.telemetryDays
    dailyCapGb: retention.telemetryDailyCapGb
  }
}

module storage 'modules/storage.bicep' = {
  scope: group
  params: {
    name: 'stvoice${unique}'
    location: location
    tags: tags
    clipDays: retention.clipDays
    artefactDays: retention.artefactDays
    pageOrigins: pageOrigins
  }
}

module cosmos 'modules/cosmos.bicep' = {
  scope: group
  params: {
    name: 'cosmos-${stem}-${unique}'
    location: location
    tags: tags
    database: cosmosDatabase
  }
}

module speech 'modules/speech.bicep' = {
  scope: group
  params: {
    name: 'speech-${stem}-${unique}'
    location: location
    tags: tags
  }
}

module openAi 'modules/openai.bicep' = {
  scope: group
  params: {
    name: 'openai-${stem}-${unique}'
    location: location
    tags: tags
    modelName: model.name
    modelVersion: model.version
    capacity: model.capacity
  }
}

module vault 'modules/vault.bicep' = {
  scope: group
  params: {
    name: 'kv-voice-${unique}'
    location: location
    tags: tags
  }
}

module access 'modules/access.bicep' = {
  scope: group
  params: {
    principalId: identity.outputs.principalId
    storageName: storage.outputs.name
    cosmosName: cosmos.outputs.name
    cosmosDatabase: cosmos.outputs.database
    speechName: speech.outputs.name
    openAiName: openAi.outputs.name
    insightsName: monitoring.outputs.insightsName
    vaultName: vault.outputs.name
  }
}

module frontDoor 'modules/frontdoor-profile.bicep' = {
  scope: group
  params: {
    name: 'afd-${stem}-${unique}'
    tags: tags
    sku: edge.sku
  }
}

module functionApp 'modules/functionapp.bicep' = {
  scope: group
  params: {
    planName: 'plan-${stem}-${unique}'
    name: 'func-${stem}-${unique}'
    location: location
    tags: tags
    identityId: identity.outputs.id
    identityClientId: identity.outputs.clientId
    deploymentContainerUrl: storage.outputs.deploymentContainerUrl
    blobEndpoint: storage.outputs.blobEndpoint
    queueEndpoint: storage.outputs.queueEndpoint
    insightsConnectionString: monitoring.outputs.connectionString
    frontDoorId: frontDoor.outputs.frontDoorId
    authClientId: authClientId
    pageOrigins: pageOrigins
    memoryMB: scale.memoryMB
    maximumInstances: scale.maximumInstances
    requestsPerInstance: scale.requestsPerInstance
    alwaysReady: {
      http: scale.alwaysReadyHttp
      blob: scale.alwaysReadyBlob
    }
    settings: union(settings, {
      SPEECH_ENDPOINT: speech.outputs.endpoint
      OPENAI_ENDPOINT: openAi.outputs.baseUrl
      OPENAI_MODEL: openAi.outputs.deployment
      COSMOS_ENDPOINT: cosmos.outputs.endpoint
      COSMOS_DATABASE: cosmos.outputs.database
      STORAGE_URL: storage.outputs.blobEndpoint
      // As many as an instance's requests can use; a turn has two calls in synthesis. All instances together may exceed
      // a quota: docs/reliability.md.
      STT_CONCURRENT: string(scale.requestsPerInstance)
      TTS_CONCURRENT: string(2 * scale.requestsPerInstance)
      CLIP_DAYS: string(retention.artefactDays)
      // Telemetry distinguishes users by pseudonyms that are unique to this deployment.
      USER_SALT: guid(group.id, 'users')
      TURN_SECRET: empty(settings.TURN_URLS) ? '' : vault.outputs.turnSecretReference
    })
  }
}

module firewall 'modules/waf.bicep' = {
  scope: group
  params: {
    name: 'wafvoice${environmentName}'
    tags: tags
    sku: edge.sku
    mode: edge.wafMode
    managedRulesAction: edge.managedRulesAction
    requestsPerFiveMinutes: edge.requestsPerFiveMinutes
  }
}

module routing 'modules/frontdoor-routing.bicep' = {
  scope: group
  params: {
    profileName: frontDoor.outputs.name
    endpointName: '${stem}-${unique}'
    tags: tags
    originHostName: functionApp.outputs.hostName
    firewallPolicyId: firewall.outputs.id
    probeSeconds: edge.probeSeconds
  }
}

module events 'modules/events.bicep' = {
  scope: group
  params: {
    name: 'evgt-${stem}-${unique}'
    location: location
    tags: tags
    storageId: storage.outputs.id
  }
}

module alerts 'modules/alerts.bicep' = {
  scope: group
  params: {
    groupName: 'ag-${stem}'
    location: location
    tags: tags
    email: alertEmail
    workspaceId: monitoring.outputs.workspaceId
    frontDoorName: frontDoor.outputs.name
    cosmosName: cosmos.outputs.name
    speechName: speech.outputs.name
    openAiName: openAi.outputs.name
    topicName: events.outputs.name
    thresholds: alertThresholds
  }
}

module workbook 'modules/workbook.bicep' = {
  scope: group
  params: {
    displayName: 'Voice (${environmentName})'
    location: location
    tags: tags
    workspaceId: monitoring.outputs.workspaceId
    telemetryDays: retention.telemetryDays
  }
}

module diagnostics 'modules/diagnostics.bicep' = {
  scope: group
  params: {
    workspaceId: monitoring.outputs.workspaceId
    frontDoorName: frontDoor.outputs.name
    cosmosName: cosmos.outputs.name
    speechName: speech.outputs.name
    openAiName: openAi.outputs.name
    topicName: events.outputs.name
    vaultName: vault.outputs.name
  }
}

module spending 'modules/budget.bicep' = {
  scope: group
  params: {
    name: 'budget-${stem}'
    amount: budget.amount
    start: budget.start
    alertEmail: alertEmail
    actionGroupId: alerts.outputs.actionGroupId
  }
}

output API_BASE_URL string = routing.outputs.baseUrl
output AZURE_RESOURCE_GROUP string = group.name
output FUNCTION_APP_NAME string = functionApp.outputs.name
output FUNCTION_APP_URL string = 'https://${functionApp.outputs.hostName}'
output KEY_VAULT_NAME string = vault.outputs.name
output CLIPS_TOPIC string = events.outputs.name
output CLIPS_CONTAINER string = storage.outputs.clipsContainer
