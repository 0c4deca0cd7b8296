// Routing of Front Door: one endpoint, one route, one origin, and the firewall in front of them.

param profileName string
param endpointName string
param tags object
param originHostName string
param firewallPolicyId string

@description('Seconds between two health probes of each edge location; 0: none. Probes keep an idle app awake.')
@minValue(0)
@maxValue(255)
param probeSeconds int

resource profile 'Microsoft.Cdn/profiles@2025-12-01' existing = {
  name: profileName
}

resource endpoint 'Microsoft.Cdn/profiles/afdEndpoints@2025-12-01' = {
  parent: profile
  name: endpointName
  location: 'global'
  tags: tags
  properties: {
    enabledState: 'Enabled'
  }
}

resource originGroup 'Microsoft.Cdn/profiles/originGroups@2025-12-01' = {
  parent: profile
  name: 'api'
  properties: {
    sessionAffinityState: 'Disabled'
    loadBalancingSettings: {
      sampleSize: 4
      successfulSamplesRequired: 2
      additionalLatencyInMilliseconds: 0
    }
    healthProbeSettings: probeSeconds == 0 ? null : {
      probePath: '/api/voice/health'
      // The app does not support HEAD there.
      probeRequestType: 'GET'
      probeProtocol: 'Https'
      probeIntervalInSeconds: probeSeconds
    }
  }
}

resource origin 'Microsoft.Cdn/profiles/originGroups/origins@2025-12-01' = {
  parent: originGroup
  name: 'functions'
  properties: {
    hostName: originHostName
    originHostHeader: originHostName
    httpsPort: 443
    priority: 1
    weight: 1000
    enabledState: 'Enabled'
    enforceCertificateNameCheck: true
  }
}

// Nothing is cached, because every response is for one user.
resource route 'Microsoft.Cdn/profiles/afdEndpoints/routes@2025-12-01' = {
  parent: endpoint
  name: 'voice'
  properties: {
    originGroup: {
      id: originGroup.id
    }
    patternsToMatch: ['/api/voice/*']
    // No redirect from HTTP: the request and its token would already have been sent unencrypted.
    supportedProtocols: ['Https']
    httpsRedirect: 'Disabled'
    forwardingProtocol: 'HttpsOnly'
    linkToDefaultDomain: 'Enabled'
    enabledState: 'Enabled'
  }
  dependsOn: [origin]
}

resource firewall 'Microsoft.Cdn/profiles/securityPolicies@2025-12-01' = {
  parent: profile
  name: 'firewall'
  properties: {
    parameters: {
      type: 'WebApplicationFirewall'
      wafPolicy: {
        id: firewallPolicyId
      }
      associations: [
        {
          domains: [
            {
              id: endpoint.id
            }
          ]
          patternsToMatch: ['/*']
        }
      ]
    }
  }
}

output baseUrl string = 'https://${endpoint.properties.hostName}/api/voice'
