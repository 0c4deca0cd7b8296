// The coarse shield: how many requests one address may send. How many turns one person may take is the app's to count.

param name string
param tags object

@allowed(['Standard_AzureFrontDoor', 'Premium_AzureFrontDoor'])
param sku string

@allowed(['Detection', 'Prevention'])
param mode string

@description('What is done with a request whose score reaches the limit of the default rule set.')
@allowed(['Log', 'Block'])
param managedRulesAction string

@description('Each edge server counts on its own: the lower this is, the more slip through.')
@minValue(100)
param requestsPerFiveMinutes int

// What the contract lets a caller choose freely: words, recordings in base64, fingerprints and passwords of sessions. To
// the rules some of it looks like an attack. Query strings and members are case-sensitive here, and not in the app, so
// each stands in the capitals that clients commonly use.
var inQueries = ['phrases', 'Phrases', 'voice', 'Voice', 'format', 'Format']

var inBodies = [
  'phrases'
  'Phrases'
  'voice'
  'Voice'
  'format'
  'Format'
  'audioData'
  'AudioData'
  'audiodata'
  'text'
  'Text'
  'query'
  'Query'
  'notes'
  'Notes'
  'sdp'
  'Sdp'
  'SDP'
  'contentType'
  'ContentType'
  'contenttype'
]

// Keys and ETags are quoted or chosen by clients, and tokens are random; their names have no capitals of their own.
var inHeaders = ['Authorization', 'Idempotency-Key', 'If-Match', 'If-None-Match', 'Range']

// Of a request that meets a rule the firewall would write down what met it: words, tokens.
var private = [
  'QueryStringArgNames'
  'RequestHeaderNames'
  'RequestCookieNames'
  'RequestBodyPostArgNames'
  'RequestBodyJsonArgNames'
]

var jsonExclusions = [
  for member in inBodies: {
    matchVariable: 'RequestBodyJsonArgNames'
    // An offer's description is within the offer, a phrase within its list.
    selectorMatchOperator: 'Contains'
    selector: member
  }
]

var formExclusions = [
  for field in inBodies: {
    matchVariable: 'RequestBodyPostArgNames'
    selectorMatchOperator: 'Equals'
    selector: field
  }
]

var queryExclusions = [
  for parameter in inQueries: {
    matchVariable: 'QueryStringArgNames'
    selectorMatchOperator: 'Equals'
    selector: parameter
  }
]

var headerExclusions = [
  for header in inHeaders: {
    matchVariable: 'RequestHeaderNames'
    selectorMatchOperator: 'Equals'
    selector: header
  }
]

// These know what web pages send, and would stop ordinary requests of the API (Core Rule Set 3.3.4, from which the
// managed rules are derived). All but 920340 are critical: one of them is enough to block.
var ruleGroupOverrides = [
  {
    ruleGroupName: 'METHOD-ENFORCEMENT'
    rules: [
      {
        // Methods but GET, HEAD, POST and OPTIONS: PATCH and DELETE.
        ruleId: '911100'
        enabledState: 'Disabled'
      }
    ]
  }
  {
    ruleGroupName: 'PROTOCOL-ENFORCEMENT'
    rules: [
      {
        // A body without a content type: a recording as it is.
        ruleId: '920340'
        enabledState: 'Disabled'
      }
      {
        ruleId: '920341'
        enabledState: 'Disabled'
      }
      {
        // Content types but JSON, XML and forms: audio/*, video/*, application/octet-stream, SDP.
        ruleId: '920420'
        enabledState: 'Disabled'
      }
      {
        // Parameters of a content type but charset and boundary: audio/webm;codecs=opus, audio/pcm;rate=16000.
        ruleId: '920470'
        enabledState: 'Disabled'
      }
    ]
  }
  {
    ruleGroupName: 'PROTOCOL-ATTACK'
    rules: [
      {
        // A request within a body: any line of a form that ends as in "get it". Front Door frames requests anew.
        ruleId: '921110'
        enabledState: 'Disabled'
      }
    ]
  }
  {
    ruleGroupName: 'General'
    rules: [
      {
        // A body that cannot be read: only its first 128 KB are, so a longer recording in JSON or a form.
        ruleId: '200002'
        enabledState: 'Disabled'
      }
      {
        ruleId: '200003'
        enabledState: 'Disabled'
      }
    ]
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
    ruleSetAction: managedRulesAction
    exclusions: concat(jsonExclusions, formExclusions, queryExclusions, headerExclusions)
    ruleGroupOverrides: ruleGroupOverrides
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
