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

// Recordings in base64 look like anything, sooner or later; so do the fingerprints and passwords in a session's offer.
// The firewall tells capitals apart, which the app does not.
var unreadable = ['audioData', 'AudioData', 'audiodata', 'sdp', 'Sdp', 'SDP']

// Of a request that meets a rule the firewall would write down what met it: words, tokens.
var private = [
  'QueryStringArgNames'
  'RequestHeaderNames'
  'RequestCookieNames'
  'RequestBodyPostArgNames'
  'RequestBodyJsonArgNames'
]

var exclusions = [
  for member in unreadable: {
    matchVariable: 'RequestBodyJsonArgNames'
    // An offer's description is within the offer.
    selectorMatchOperator: 'Contains'
    selector: member
  }
]

var scrubbed = [
  for variable in private: {
    matchVariable: variable
    selectorMatchOperator: 'EqualsAny'
    state: 'Enabled'
  }
]

// Managed rules come with Premium only.
var managedRuleSets = [
  {
    ruleSetType: 'Microsoft_DefaultRuleSet'
    ruleSetVersion: '2.1'
    ruleSetAction: 'Block'
    exclusions: exclusions
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
      logScrubbing: {
        state: 'Enabled'
        scrubbingRules: scrubbed
      }
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
