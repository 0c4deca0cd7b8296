// What happens in storage, as events. Who hears of new clips is subscribed by subscribe-clips.sh: the webhook exists,
// and can prove that it does, only when the code is deployed.

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
