// Telemetry: a Log Analytics workspace, and Application Insights on top of it.

param workspaceName string
param insightsName string
param location string
param tags object

@description('Days for which telemetry is stored.')
@minValue(30)
@maxValue(730)
param retentionDays int

@description('Gigabytes per day after which the workspace accepts no more data until the next day; -1: no cap.')
param dailyCapGb int

resource workspace 'Microsoft.OperationalInsights/workspaces@2026-03-01' = {
  name: workspaceName
  location: location
  tags: tags
  properties: {
    sku: {
      name: 'PerGB2018'
    }
    retentionInDays: retentionDays
    workspaceCapping: {
      dailyQuotaGb: dailyCapGb
    }
    features: {
      disableLocalAuth: true
    }
  }
}

resource insights 'Microsoft.Insights/components@2020-02-02' = {
  name: insightsName
  location: location
  tags: tags
  kind: 'web'
  properties: {
    Application_Type: 'web'
    WorkspaceResourceId: workspace.id
    DisableLocalAuth: true
  }
}

output workspaceId string = workspace.id
output insightsName string = insights.name
// Contains the resource and its ingestion address. It is no credential, because local authentication is off.
output connectionString string = insights.properties.ConnectionString
