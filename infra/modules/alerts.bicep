// Alerts and their recipients. docs/operations.md says what to do about each alert.

import { thresholdChoice } from '../choices.bicep'

param groupName string
param location string
param tags object
param email string
param workspaceId string
param frontDoorName string
param cosmosName string
param speechName string
param openAiName string
param topicName string

@description('Values above which an alert is raised.')
param thresholds thresholdChoice

resource profile 'Microsoft.Cdn/profiles@2025-12-01' existing = {
  name: frontDoorName
}

resource cosmos 'Microsoft.DocumentDB/databaseAccounts@2026-03-15' existing = {
  name: cosmosName
}

resource speech 'Microsoft.CognitiveServices/accounts@2026-07-01' existing = {
  name: speechName
}

resource openAi 'Microsoft.CognitiveServices/accounts@2026-07-01' existing = {
  name: openAiName
}

resource topic 'Microsoft.EventGrid/systemTopics@2025-02-15' existing = {
  name: topicName
}

resource operators 'Microsoft.Insights/actionGroups@2023-01-01' = {
  name: groupName
  location: 'global'
  tags: tags
  properties: {
    enabled: true
    groupShortName: 'voice'
    emailReceivers: [
      {
        name: 'operators'
        emailAddress: email
        useCommonAlertSchema: true
      }
    ]
  }
}

// Alerts on telemetry: each is a query that returns one number, and an entry in this list.
var queryAlerts = [
  {
    name: 'failed-requests'
    description: 'Fewer requests succeed than promised.'
    query: loadTextContent('../queries/failed-requests.kql')
    column: 'failedPercent'
    threshold: thresholds.failedPercent
    severity: 1
  }
  {
    name: 'slow-turns'
    description: 'Turns take longer than promised.'
    query: loadTextContent('../queries/slow-turns.kql')
    column: 'p95Ms'
    threshold: thresholds.slowTurnMs
    severity: 2
  }
  {
    name: 'failed-turns'
    description: 'Fewer turns succeed than promised.'
    query: loadTextContent('../queries/failed-turns.kql')
    column: 'failedPercent'
    threshold: thresholds.failedPercent
    severity: 1
  }
  {
    name: 'slow-first-audio'
    description: 'Replies begin to sound later than promised.'
    query: loadTextContent('../queries/slow-first-audio.kql')
    column: 'p95Ms'
    threshold: thresholds.firstAudioMs
    severity: 2
  }
  {
    name: 'slow-stt'
    description: 'Recognition takes longer than promised.'
    query: loadTextContent('../queries/slow-stt.kql')
    column: 'p95Ms'
    threshold: thresholds.sttMs
    severity: 3
  }
  {
    name: 'slow-assistant'
    description: 'The assistant takes longer than promised.'
    query: loadTextContent('../queries/slow-assistant.kql')
    column: 'p95Ms'
    threshold: thresholds.assistantMs
    severity: 3
  }
  {
    name: 'slow-tts'
    description: 'Synthesis takes longer than promised.'
    query: loadTextContent('../queries/slow-tts.kql')
    column: 'p95Ms'
    threshold: thresholds.ttsMs
    severity: 3
  }
  {
    name: 'held-back'
    description: 'Providers throttle our calls, or no slot became free for a call.'
    query: loadTextContent('../queries/held-back.kql')
    column: 'requests'
    threshold: thresholds.throttledRequests
    severity: 2
  }
  {
    name: 'given-up'
    description: 'A provider failed so often that calls to it are suspended for a while.'
    query: loadTextContent('../queries/given-up.kql')
    column: 'times'
    threshold: 0
    severity: 1
  }
  {
    name: 'uncounted'
    description: 'The usage store is unavailable: each worker counts limits by itself, or refuses all requests.'
    query: loadTextContent('../queries/uncounted.kql')
    column: 'requests'
    threshold: 0
    severity: 2
  }
  {
    name: 'poison-clips'
    description: 'A clip failed at every attempt.'
    query: loadTextContent('../queries/poison-clips.kql')
    column: 'clips'
    threshold: 0
    severity: 2
  }
]

resource onTelemetry 'Microsoft.Insights/scheduledQueryRules@2026-03-01' = [
  for alert in queryAlerts: {
    name: '${groupName}-${alert.name}'
    location: location
    tags: tags
    kind: 'LogAlert'
    properties: {
      displayName: alert.name
      description: alert.description
      enabled: true
      severity: alert.severity
      scopes: [workspaceId]
      evaluationFrequency: 'PT5M'
      windowSize: 'PT15M'
      criteria: {
        allOf: [
          {
            query: alert.query
            metricMeasureColumn: alert.column
            timeAggregation: 'Maximum'
            operator: 'GreaterThan'
            threshold: alert.threshold
            failingPeriods: {
              numberOfEvaluationPeriods: 1
              minFailingPeriodsToAlert: 1
            }
          }
        ]
      }
      autoMitigate: true
      actions: {
        actionGroups: [operators.id]
      }
    }
  }
]

// Alerts on metrics of the services.
var metricAlerts = [
  {
    name: 'unreachable'
    description: 'Front Door returns 5xx: the app does not respond, or too late.'
    scope: profile.id
    metric: 'Percentage5XX'
    aggregation: 'Average'
    dimensions: []
    threshold: thresholds.failedPercent
    severity: 1
  }
  {
    name: 'assistant-throttled'
    description: 'Azure OpenAI throttles requests: raise the model\'s capacity.'
    scope: openAi.id
    metric: 'AzureOpenAIRequests'
    aggregation: 'Total'
    dimensions: [{ name: 'StatusCode', operator: 'Include', values: ['429'] }]
    threshold: thresholds.throttledRequests
    severity: 2
  }
  {
    name: 'speech-throttled'
    description: 'Speech throttles requests: request a higher quota.'
    scope: speech.id
    metric: 'BlockedCalls'
    aggregation: 'Total'
    dimensions: []
    threshold: thresholds.throttledRequests
    severity: 2
  }
  {
    name: 'conversations-throttled'
    description: 'Cosmos DB throttles requests.'
    scope: cosmos.id
    metric: 'TotalRequests'
    aggregation: 'Count'
    dimensions: [{ name: 'StatusCode', operator: 'Include', values: ['429'] }]
    threshold: thresholds.throttledRequests
    severity: 2
  }
  {
    name: 'clips-lost'
    description: 'Event Grid stopped trying to notify the app of a new clip.'
    scope: topic.id
    metric: 'DroppedEventCount'
    aggregation: 'Total'
    dimensions: []
    threshold: 0
    severity: 1
  }
]

resource onMetrics 'Microsoft.Insights/metricAlerts@2026-01-01' = [
  for alert in metricAlerts: {
    name: '${groupName}-${alert.name}'
    location: 'global'
    tags: tags
    properties: {
      description: alert.description
      enabled: true
      severity: alert.severity
      scopes: [alert.scope]
      evaluationFrequency: 'PT5M'
      windowSize: 'PT15M'
      criteria: {
        'odata.type': 'Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria'
        allOf: [
          {
            criterionType: 'StaticThresholdCriterion'
            name: alert.name
            metricName: alert.metric
            dimensions: alert.dimensions
            timeAggregation: alert.aggregation
            operator: 'GreaterThan'
            threshold: alert.threshold
          }
        ]
      }
      autoMitigate: true
      actions: [
        {
          actionGroupId: operators.id
        }
      ]
    }
  }
]

output actionGroupId string = operators.id
