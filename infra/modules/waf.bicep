// The firewall: a limit of requests for each address, and managed rules. The app itself limits the turns of each user.

param name string
param tags object

@allowed(['Standard_AzureFrontDoor', 'Premium_AzureFrontDoor'])
param sku string

@allowed(['Detection', 'Prevention'])
param mode string

@description('Action for a request whose score reaches the limit of the default rule set.')
@allowed(['Log', 'Block'])
param managedRulesAction string

@description('Limit per address. Each edge server counts on its own: the lower the limit, the more requests exceed it.')
@minValue(100)
param requestsPerFiveMinutes int

// Values that callers choose freely by the contract: words, recordings in base64, fingerprints and passwords of
// sessions. The rules take some of them for attacks. Names of query parameters and members are case-sensitive here, but
// not in the app, so each is listed in the spellings that clients commonly use.
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

// Keys and ETags are quoted or chosen by clients, and tokens are random. Names of headers are not case-sensitive.
var inHeaders = ['Authorization', 'Idempotency-Key', 'If-Match', 'If-None-Match', 'Last-Event-ID', 'Range']

// Without scrubbing, the firewall logs the value that matched a rule: words, tokens.
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
    // Contains, because an SDP is nested in its offer, and a phrase in its list.
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

// These rules are written for web pages, and would stop ordinary requests of the API (Core Rule Set 3.3.4, from which
// the managed rules are derived). All but 920340 are critical: one of them is enough to block.
var ruleGroupOverrides = [
  {
    ruleGroupName: 'METHOD-ENFORCEMENT'
    rules: [
      {
        // Stops methods other than GET, HEAD, POST and OPTIONS: PATCH and DELETE.
        ruleId: '911100'
        enabledState: 'Disabled'
      }
    ]
  }
  {
    ruleGroupName: 'PROTOCOL-ENFORCEMENT'
    rules: [
      {
        // Stops a body without a content type: a recording.
        ruleId: '920340'
        enabledState: 'Disabled'
      }
      {
        ruleId: '920341'
        enabledState: 'Disabled'
      }
      {
        // Stops content types other than JSON, XML and forms: audio/*, video/*, application/octet-stream, SDP.
        ruleId: '920420'
        enabledState: 'Disabled'
      }
      {
        // Stops content type parameters other than charset and boundary: audio/webm;codecs=opus, audio/pcm;rate=16000.
        ruleId: '920470'
        enabledState: 'Disabled'
      }
    ]
  }
  {
    ruleGroupName: 'PROTOCOL-ATTACK'
    rules: [
      {
        // Stops a request within a body: a line of a form that ends like "get it". Front Door re-frames requests anyway.
        ruleId: '921110'
        enabledState: 'Disabled'
      }
    ]
  }
  {
    ruleGroupName: 'General'
    rules: [
      {
        // Stops a body that cannot be parsed. Only its first 128 KB are read, so this includes a longer recording in JSON
        // or a form.
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

// Only Premium has managed rules.
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
