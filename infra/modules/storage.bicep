// One account: the deployed package, the host's own state, the clips that phones upload and what is made of them.

param name string
param location string
param tags object

@description('How long an uploaded recording is kept.')
@minValue(1)
param clipDays int

@description('How long what was made of a recording is kept.')
@minValue(1)
param artefactDays int

@description('Pages served there may upload.')
param pageOrigins string[]

var deploymentContainer = 'deployment'
var clipsContainer = 'clips'
var artefactsContainer = 'artefacts'

resource account 'Microsoft.Storage/storageAccounts@2026-04-01' = {
  name: name
  location: location
  tags: tags
  kind: 'StorageV2'
  sku: {
    name: 'Standard_LRS'
  }
  properties: {
    accessTier: 'Hot'
    allowBlobPublicAccess: false
    allowSharedKeyAccess: false
    allowCrossTenantReplication: false
    defaultToOAuthAuthentication: true
    minimumTlsVersion: 'TLS1_2'
    supportsHttpsTrafficOnly: true
    // Phones upload straight to it, with a signed URL that the app makes.
    publicNetworkAccess: 'Enabled'
    networkAcls: {
      bypass: 'AzureServices'
      defaultAction: 'Allow'
    }
  }
}

resource blobs 'Microsoft.Storage/storageAccounts/blobServices@2026-04-01' = {
  parent: account
  name: 'default'
  properties: {
    // Who deletes a conversation deletes its audio: nothing may linger behind it.
    deleteRetentionPolicy: {
      enabled: false
    }
    containerDeleteRetentionPolicy: {
      enabled: false
    }
    // The signed URL is the permission; this only has browsers use it.
    cors: {
      corsRules: empty(pageOrigins) ? [] : [
        {
          allowedOrigins: pageOrigins
          allowedMethods: ['PUT']
          allowedHeaders: ['*']
          exposedHeaders: []
          maxAgeInSeconds: 3600
        }
      ]
    }
  }
}

resource containers 'Microsoft.Storage/storageAccounts/blobServices/containers@2026-04-01' = [
  for container in [deploymentContainer, clipsContainer, artefactsContainer]: {
    parent: blobs
    name: container
    properties: {
      publicAccess: 'None'
    }
  }
]

resource lifecycle 'Microsoft.Storage/storageAccounts/managementPolicies@2026-04-01' = {
  parent: account
  name: 'default'
  properties: {
    policy: {
      rules: [
        for expiry in [{ container: clipsContainer, days: clipDays }, { container: artefactsContainer, days: artefactDays }]: {
          name: 'expire-${expiry.container}'
          enabled: true
          type: 'Lifecycle'
          definition: {
            filters: {
              // Speech is appended while it is made.
              blobTypes: ['blockBlob', 'appendBlob']
              prefixMatch: ['${expiry.container}/']
            }
            actions: {
              baseBlob: {
                delete: {
                  daysAfterModificationGreaterThan: expiry.days
                }
              }
            }
          }
        }
      ]
    }
  }
}

output id string = account.id
output name string = account.name
output blobEndpoint string = account.properties.primaryEndpoints.blob
output queueEndpoint string = account.properties.primaryEndpoints.queue
output deploymentContainerUrl string = '${account.properties.primaryEndpoints.blob}${deploymentContainer}'
output clipsContainer string = clipsContainer
