// The only secret: the one that the TURN relay and the app share. An operator stores it; no template reads it.

param name string
param location string
param tags object

resource vault 'Microsoft.KeyVault/vaults@2026-02-01' = {
  name: name
  location: location
  tags: tags
  properties: {
    tenantId: tenant().tenantId
    sku: {
      family: 'A'
      name: 'standard'
    }
    enableRbacAuthorization: true
    enableSoftDelete: true
    softDeleteRetentionInDays: 7
    publicNetworkAccess: 'Enabled'
  }
}

output name string = vault.name
output turnSecretReference string = '@Microsoft.KeyVault(VaultName=${vault.name};SecretName=turn-secret)'
