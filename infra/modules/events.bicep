// Events of storage. subscribe-clips.sh creates the subscription to new clips, because the webhook exists, and can be
// validated, only after the code is deployed.

param name string
param location string
param tags object
param storageId string

resource topic 'Microsoft.EventGrid/systemTopics@2025-02-15' = {
  name: name
  location: location
  tags: tags
  properties: {
    source: storageId
    topicType: 'Microsoft.Storage.StorageAccounts'
  }
}

output name string = topic.name
