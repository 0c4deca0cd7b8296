// One storage account for the deployed package, the host's state, the clips that phones upload, and their artefacts.

param name string
param location string
param tags object

@description('Days for which an uploaded recording is stored.')
@minValue(1)
param clipDays int

@description('Days for which the artefacts of a recording are stored.')
@minValue(1)
param artefactDays int

@description('Origins of the pages that may upload.')
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
    // Phones upload directly to it, with a URL that the app signs.
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
    // Deleting a conversation deletes its audio for good: no deleted blob may be restorable.
    deleteRetentionPolicy: {
      enabled: false
    }
    containerDeleteRetentionPolicy: {
      enabled: false
    }
    // The signed URL is the permission; this rule only lets browsers use it.
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
              // Speech is written to append blobs while it is synthesised.
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
