// The assistant: one model, deployed under its own name.

param name string
param location string
param tags object
param modelName string
param modelVersion string

@description('Thousands of tokens a minute.')
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
    // Sign-in by identity needs one, and it can never be changed.
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
    // A model that changes by itself changes what it says, and how long it takes to.
    versionUpgradeOption: 'OnceCurrentVersionExpired'
  }
}

output name string = account.name
output baseUrl string = '${account.properties.endpoint}openai/v1/'
output deployment string = model.name
