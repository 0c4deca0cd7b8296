// The workbook: charts of the product's use, latency and errors.

param displayName string
param location string
param tags object
param workspaceId string

@description('Days for which events are stored, and over which users are counted.')
param telemetryDays int

var charts = [
  {
    title: 'Success and error rate of turns'
    query: loadTextContent('../queries/success-rate.kql')
  }
  {
    title: 'How turns end'
    query: loadTextContent('../queries/how-turns-end.kql')
  }
  {
    title: 'How long the stages take, 95 %'
    query: loadTextContent('../queries/stage-latency.kql')
  }
  {
    title: 'The slowest turns'
    query: loadTextContent('../queries/slowest-turns.kql')
  }
  {
    title: 'Adoption: share of users who have spoken'
    query: loadTextContent('../queries/adoption.kql')
    ofPeople: true
  }
  {
    title: 'Users by the day of their first use'
    query: loadTextContent('../queries/first-use.kql')
    ofPeople: true
  }
  {
    title: 'Repeat usage: share of users who came back on another day'
    query: loadTextContent('../queries/repeat-use.kql')
    ofPeople: true
  }
  {
    title: 'Sessions that ended on purpose'
    query: loadTextContent('../queries/session-completion.kql')
  }
  {
    title: 'Why sessions ended'
    query: loadTextContent('../queries/session-ends.kql')
  }
  {
    title: 'Sessions open at a time'
    query: loadTextContent('../queries/sessions-open.kql')
  }
  {
    title: 'Clips'
    query: loadTextContent('../queries/clips-done.kql')
  }
  {
    title: 'Events of new clips that did not arrive'
    query: loadTextContent('../queries/clip-events.kql')
  }
  {
    title: 'Tokens of the assistant'
    query: loadTextContent('../queries/tokens.kql')
  }
  {
    title: 'Seconds of speech'
    query: loadTextContent('../queries/audio-seconds.kql')
  }
  {
    title: 'Calls of providers and the store'
    query: loadTextContent('../queries/provider-calls.kql')
  }
  {
    title: 'Limits hit'
    query: loadTextContent('../queries/limits-hit.kql')
  }
  {
    title: 'What else happened'
    query: loadTextContent('../queries/what-happened.kql')
  }
  {
    title: 'Requests, by how they were answered'
    query: loadTextContent('../queries/requests-by-answer.kql')
  }
  {
    title: 'How long each function takes'
    query: loadTextContent('../queries/latency-by-function.kql')
  }
  {
    title: 'Stopped by the firewall'
    query: loadTextContent('../queries/blocked-by-firewall.kql')
  }
]

var hour = 3600000
var day = 24 * hour

var spans = [
  for span in [hour, 4 * hour, day, 7 * day, 30 * day]: {
    durationMs: span
  }
]

var range = {
  type: 9
  name: 'range'
  content: {
    version: 'KqlParameterItem/1.0'
    style: 'pills'
    queryType: 0
    resourceType: 'microsoft.operationalinsights/workspaces'
    parameters: [
      {
        id: guid(resourceGroup().id, 'voice', 'range')
        version: 'KqlParameterItem/1.0'
        name: 'TimeRange'
        label: 'Time range'
        type: 4
        isRequired: true
        value: {
          durationMs: day
        }
        typeSettings: {
          allowCustom: true
          selectableValues: spans
        }
      }
    ]
  }
}

var panels = [
  for (chart, number) in charts: {
    type: 3
    name: 'chart ${number}'
    content: {
      version: 'KqlItem/1.0'
      title: chart.title
      query: chart.query
      size: 0
      queryType: 0
      resourceType: 'microsoft.operationalinsights/workspaces'
      crossComponentResources: [workspaceId]
      // First and returning users cannot be counted within a single day.
      timeContext: {
        durationMs: contains(chart, 'ofPeople') ? telemetryDays * day : 0
      }
      timeContextFromParameter: contains(chart, 'ofPeople') ? null : range.content.parameters[0].name
    }
  }
]

resource workbook 'Microsoft.Insights/workbooks@2023-06-01' = {
  name: guid(resourceGroup().id, 'voice')
  location: location
  tags: tags
  kind: 'shared'
  properties: {
    displayName: displayName
    category: 'workbook'
    sourceId: workspaceId
    serializedData: string({ version: 'Notebook/1.0', items: concat([range], panels) })
  }
}
