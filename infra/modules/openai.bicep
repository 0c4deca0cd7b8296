// The assistant: one model, deployed under the model's name.

param name string
param location string
param tags object
param modelName string
param modelVersion string

@description('Capacity in thousands of tokens per minute.')
@minValue(1)
param capacity int

resource account 'Microsoft.CognitiveServices/accounts@2026-07-01' = {
  name: name
  location: location
  tags: tags
  kind: 'OpenAI'
  sku: {
    name: 'S0'
  }
  properties: {
    // Authentication by identity requires a subdomain, which can never be changed.
    customSubDomainName: name
    disableLocalAuth: true
    publicNetworkAccess: 'Enabled'
  }
}

resource model 'Microsoft.CognitiveServices/accounts/deployments@2026-07-01' = {
  parent: account
  name: modelName
  sku: {
    name: 'GlobalStandard'
    capacity: capacity
  }
  properties: {
    model: {
      format: 'OpenAI'
      name: modelName
      version: modelVersion
    }
    // An automatic upgrade of the model would change its replies and their latency.
    versionUpgradeOption: 'OnceCurrentVersionExpired'
  }
}

output name string = account.name
output baseUrl string = '${account.properties.endpoint}openai/v1/'
output deployment string = model.name
