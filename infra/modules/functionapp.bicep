// The function app on a Flex Consumption plan, its access restrictions, and all its settings.

param planName string
param name string
param location string
param tags object
param identityId string
param identityClientId string
param deploymentContainerUrl string
param blobEndpoint string
param queueEndpoint string
param insightsConnectionString string

@description('Id of the only Front Door that may reach the app.')
param frontDoorId string

@description('The app registration whose tokens callers send.')
param authClientId string

@description('Origins of the pages that may call, such as https://www.example.com. Apps need no entry.')
param pageOrigins string[]

@description('All settings that the code reads.')
param settings object

@description('Memory of an instance in megabytes.')
@allowed([512, 2048, 4096])
param memoryMB int

@minValue(40)
@maxValue(1000)
param maximumInstances int

@description('Requests that one instance serves concurrently. The platform\'s default for Python is 1.')
@minValue(1)
@maxValue(1000)
param requestsPerInstance int

@description('Always-ready instances by the trigger that they serve.')
param alwaysReady alwaysReadyCounts

type alwaysReadyCounts = {
  http: int
  blob: int
}

resource plan 'Microsoft.Web/serverfarms@2025-03-01' = {
  name: planName
  location: location
  tags: tags
  kind: 'functionapp'
  sku: {
    name: 'FC1'
    tier: 'FlexConsumption'
  }
  properties: {
    reserved: true
  }
}

resource app 'Microsoft.Web/sites@2025-03-01' = {
  name: name
  location: location
  tags: union(tags, { 'azd-service-name': 'api' })
  kind: 'functionapp,linux'
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: {
      '${identityId}': {}
    }
  }
  properties: {
    serverFarmId: plan.id
    keyVaultReferenceIdentity: identityId
    httpsOnly: true
    publicNetworkAccess: 'Enabled'
    functionAppConfig: {
      deployment: {
        storage: {
          type: 'blobContainer'
          value: deploymentContainerUrl
          authentication: {
            type: 'UserAssignedIdentity'
            userAssignedIdentityResourceId: identityId
          }
        }
      }
      runtime: {
        name: 'python'
        version: '3.13'
      }
      scaleAndConcurrency: {
        instanceMemoryMB: memoryMB
        maximumInstanceCount: maximumInstances
        alwaysReady: filter(map(items(alwaysReady), ready => { name: ready.key, instanceCount: ready.value }), ready => ready.instanceCount > 0)
        triggers: {
          http: {
            perInstanceConcurrency: requestsPerInstance
          }
        }
      }
    }
    siteConfig: {
      minTlsVersion: '1.2'
      http20Enabled: true
      // The platform answers preflights. Callers send a token, never a cookie.
      cors: {
        allowedOrigins: pageOrigins
        supportCredentials: false
      }
      ipSecurityRestrictionsDefaultAction: 'Deny'
      ipSecurityRestrictions: [
        {
          name: 'front-door'
          description: 'Requests that came through our Front Door, and no other.'
          priority: 100
          action: 'Allow'
          tag: 'ServiceTag'
          ipAddress: 'AzureFrontDoor.Backend'
          headers: {
            'x-azure-fdid': [frontDoorId]
          }
        }
        {
          name: 'event-grid'
          description: 'Events of new clips. The webhook also requires its key, and every other path a token.'
          priority: 110
          action: 'Allow'
          tag: 'ServiceTag'
          ipAddress: 'AzureEventGrid'
        }
      ]
      // Deployments do not use Front Door: they authenticate to the app's SCM site with an identity's token.
      scmIpSecurityRestrictionsUseMain: false
      scmIpSecurityRestrictionsDefaultAction: 'Allow'
    }
  }
}

// Replaces all settings: a setting that is not listed here is removed.
resource appSettings 'Microsoft.Web/sites/config@2025-03-01' = {
  parent: app
  name: 'appsettings'
  properties: union(settings, {
    AZURE_CLIENT_ID: identityClientId
    AUTH_MODE: 'easyauth'
    AzureWebJobsStorage__credential: 'managedidentity'
    AzureWebJobsStorage__clientId: identityClientId
    AzureWebJobsStorage__blobServiceUri: blobEndpoint
    AzureWebJobsStorage__queueServiceUri: queueEndpoint
    APPLICATIONINSIGHTS_CONNECTION_STRING: insightsConnectionString
    APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'ClientId=${identityClientId};Authorization=AAD'
  })
}

// Callers send a token of the app registration. There is no sign-in page, so there is no client secret.
resource auth 'Microsoft.Web/sites/config@2025-03-01' = {
  parent: app
  name: 'authsettingsV2'
  properties: {
    platform: {
      enabled: true
    }
    globalValidation: {
      requireAuthentication: true
      unauthenticatedClientAction: 'Return401'
      excludedPaths: [
        '/api/voice/health'
        '/api/voice/openapi.json'
        '/runtime/webhooks/blobs'
      ]
    }
    httpSettings: {
      requireHttps: true
    }
    identityProviders: {
      azureActiveDirectory: {
        enabled: true
        registration: {
          clientId: authClientId
          openIdIssuer: '${environment().authentication.loginEndpoint}${tenant().tenantId}/v2.0'
        }
        validation: {
          allowedAudiences: [
            authClientId
            'api://${authClientId}'
          ]
        }
      }
    }
    login: {
      tokenStore: {
        enabled: false
      }
    }
  }
  dependsOn: [appSettings]
}

resource noPasswords 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2025-03-01' = [
  for door in ['ftp', 'scm']: {
    parent: app
    name: door
    properties: {
      allow: false
    }
  }
]

output name string = app.name
output hostName string = app.properties.defaultHostName
