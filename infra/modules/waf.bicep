// The coarse shield: how many requests one address may send. How many turns one person may take is the app's to count.

param name string
param tags object

@allowed(['Standard_AzureFrontDoor', 'Premium_AzureFrontDoor'])
param sku string

@allowed(['Detection', 'Prevention'])
param mode string

@description('Each edge server counts on its own: the lower this is, the more slip through.')
@minValue(100)
param requestsPerFiveMinutes int

// Managed rules come with Premium only.
var managedRuleSets = [
  {
    ruleSetType: 'Microsoft_DefaultRuleSet'
    ruleSetVersion: '2.1'
    ruleSetAction: 'Block'
    exclusions: [
      {
        // Recordings in base64 look like anything, sooner or later.
        matchVariable: 'RequestBodyJsonArgNames'
        selectorMatchOperator: 'Equals'
        selector: 'audioData'
      }
      {
        // So do the fingerprints and passwords in a session's offer.
        matchVariable: 'RequestBodyJsonArgNames'
        selectorMatchOperator: 'Contains'
        selector: 'sdp'
      }
    ]
  }
  {
    ruleSetType: 'Microsoft_BotManagerRuleSet'
    ruleSetVersion: '1.1'
  }
]

resource policy 'Microsoft.Network/FrontDoorWebApplicationFirewallPolicies@2025-11-01' = {
  name: name
  location: 'global'
  tags: tags
  sku: {
    name: sku
  }
  properties: {
    policySettings: {
      enabledState: 'Enabled'
      mode: mode
      requestBodyCheck: 'Enabled'
      customBlockResponseStatusCode: 429
    }
    customRules: {
      rules: [
        {
          name: 'RequestsPerAddress'
          enabledState: 'Enabled'
          priority: 100
          ruleType: 'RateLimitRule'
          rateLimitDurationInMinutes: 5
          rateLimitThreshold: requestsPerFiveMinutes
          groupBy: [
            {
              variableName: 'SocketAddr'
            }
          ]
          matchConditions: [
            {
              matchVariable: 'RequestUri'
              operator: 'Contains'
              matchValue: ['/api/voice/']
            }
          ]
          action: 'Block'
        }
      ]
    }
    managedRules: {
      managedRuleSets: sku == 'Premium_AzureFrontDoor' ? managedRuleSets : []
    }
  }
}

output id string = policy.id
