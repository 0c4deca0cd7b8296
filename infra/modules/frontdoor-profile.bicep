// The Front Door profile, separate from its routing: the function app needs the profile's id, and the origin needs the
// app's address.

param name string
param tags object

@allowed(['Standard_AzureFrontDoor', 'Premium_AzureFrontDoor'])
param sku string

resource profile 'Microsoft.Cdn/profiles@2025-12-01' = {
  name: name
  location: 'global'
  tags: tags
  sku: {
    name: sku
  }
  properties: {
    // The maximum: a response is streamed for as long as the assistant speaks.
    originResponseTimeoutSeconds: 240
    // The access log contains URLs, whose parameters can contain names to listen for.
    logScrubbing: {
      state: 'Enabled'
      scrubbingRules: [
        {
          matchVariable: 'QueryStringArgNames'
          selectorMatchOperator: 'EqualsAny'
          state: 'Enabled'
        }
      ]
    }
  }
}

output id string = profile.id
output name string = profile.name
output frontDoorId string = profile.properties.frontDoorId
