// The picture of how the product is doing.

param displayName string
param location string
param tags object
param workspaceId string

var charts = [
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
  {
    title: 'Events of new clips that did not arrive'
    query: loadTextContent('../queries/clip-events.kql')
  }
]

var panels = [
  for chart in charts: {
    type: 3
    content: {
      version: 'KqlItem/1.0'
      title: chart.title
      query: chart.query
      size: 0
      queryType: 0
      resourceType: 'microsoft.operationalinsights/workspaces'
      crossComponentResources: [workspaceId]
      timeContext: {
        durationMs: 86400000
      }
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
    serializedData: string({ version: 'Notebook/1.0', items: panels })
  }
}
