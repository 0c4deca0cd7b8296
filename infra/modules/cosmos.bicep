// The database: a serverless Cosmos DB account for all stored data but sound. An idle month costs the storage only.

param name string
param location string
param tags object
param database string

resource account 'Microsoft.DocumentDB/databaseAccounts@2026-03-15' = {
  name: name
  location: location
  tags: tags
  kind: 'GlobalDocumentDB'
  properties: {
    databaseAccountOfferType: 'Standard'
    capabilities: [
      {
        name: 'EnableServerless'
      }
    ]
    locations: [
      {
        locationName: location
        failoverPriority: 0
        isZoneRedundant: false
      }
    ]
    consistencyPolicy: {
      defaultConsistencyLevel: 'Session'
    }
    backupPolicy: {
      type: 'Continuous'
      continuousModeProperties: {
        tier: 'Continuous7Days'
      }
    }
    disableLocalAuth: true
    disableKeyBasedMetadataWriteAccess: true
    minimalTlsVersion: 'Tls12'
    publicNetworkAccess: 'Enabled'
  }
}

resource voice 'Microsoft.DocumentDB/databaseAccounts/sqlDatabases@2026-03-15' = {
  parent: account
  name: database
  properties: {
    resource: {
      id: database
    }
  }
}

// The containers that voice_core/adapters/cosmos expects; the tests compare the two.
var containers = [
  {
    name: 'conversations'
    indexed: ['/type/?', '/conversationId/?', '/seq/?', '/updatedAt/?']
  }
  {
    name: 'clips'
    indexed: ['/conversationId/?']
  }
  {
    name: 'limits'
    indexed: []
  }
  {
    name: 'requests'
    indexed: ['/conversationId/?']
  }
]

resource made 'Microsoft.DocumentDB/databaseAccounts/sqlDatabases/containers@2026-03-15' = [
  for container in containers: {
    parent: voice
    name: container.name
    properties: {
      resource: {
        id: container.name
        partitionKey: {
          kind: 'Hash'
          version: 2
          paths: ['/userId']
        }
        // TTL is on without a default: each document has its own.
        defaultTtl: -1
        indexingPolicy: {
          indexingMode: 'consistent'
          automatic: true
          includedPaths: map(container.indexed, path => { path: path })
          excludedPaths: [
            {
              path: '/*'
            }
          ]
        }
      }
    }
  }
]

output name string = account.name
output endpoint string = account.properties.documentEndpoint
output database string = voice.name
