# One list of what is wrong, by hop and in two parts. `known_problems` follows from keys, numbers, words of a list and what is there at all,
# and is known when planned. `text_problems` follows from texts, which are not where the same plan makes what they name.

locals {
  limits = local.definitions

  transform_keys = keys(module.types.transforms)
  route_keys     = keys(module.types.routes)
  keys_of_hops   = concat(local.transform_keys, local.route_keys)

  # Of every hop, whatever it is.
  sizes_problems = { for id, hop in local.sizes : id => [
    for each in [
      {
        text  = "queue.batch_window_seconds must be at least 1 with a queue.batch_size above 10"
        wrong = hop.queue.batch_size > 10 && hop.queue.batch_window_seconds < 1
      },
      {
        text  = "queue.visibility_timeout_seconds must be at least 6 x function.timeout_seconds + queue.batch_window_seconds, or messages are processed twice"
        wrong = hop.queue.visibility_timeout_seconds == null ? false : hop.queue.visibility_timeout_seconds < 6 * hop.function.timeout_seconds + hop.queue.batch_window_seconds
      },
      {
        text  = "failure.retry.base_seconds must not be above failure.retry.max_seconds"
        wrong = hop.failure.retry.base_seconds > hop.failure.retry.max_seconds
      },
      {
        text  = "failure.max_receive_count x failure.retry.max_seconds must not be above 1166400: SQS deletes a message after 14 days, also one that is still being tried"
        wrong = hop.failure.max_receive_count * hop.failure.retry.max_seconds > 1166400
      },
      {
        text  = "failure.redrive.base_delay_seconds must not be above failure.redrive.max_delay_seconds"
        wrong = hop.failure.redrive.base_delay_seconds > hop.failure.redrive.max_delay_seconds
      },
    ] : each.text if each.wrong
  ] }

  key_problems = { for each in flatten([
    [for key in local.transform_keys : { id = "transforms.${key}", key = key }],
    [for key in local.route_keys : { id = "routes.${key}", key = key }],
    ]) : each.id => [for check in [
    {
      text  = "its key must have ${local.limits.hop_key.description}"
      wrong = !can(regex(local.limits.hop_key.pattern, each.key))
    },
    {
      text  = "its key is too long: \"${var.name}-${each.key}\" names a rule and a function and may have ${local.limits.hop_name.maxLength} characters"
      wrong = length("${var.name}-${each.key}") > local.limits.hop_name.maxLength
    },
    {
      text  = "a transform and a route can't share a key, because keys name queues and functions"
      wrong = contains(local.transform_keys, each.key) && contains(local.route_keys, each.key)
    },
    {
      text  = "another hop is called ${trimsuffix(each.key, "-dlq")}, and ${each.key} is the name of its dead-letter queue"
      wrong = endswith(each.key, "-dlq") && contains(local.keys_of_hops, trimsuffix(each.key, "-dlq"))
    },
  ] : check.text if check.wrong] }

  transform_problems = { for key, transform in local.transforms : "transforms.${key}" => [
    for each in [
      {
        text  = "a function takes ${local.limits.transform.properties.layers.maxItems} layers; package is one of them"
        wrong = length(transform.layers) + (transform.package == null ? 0 : 1) > local.limits.transform.properties.layers.maxItems
      },
    ] : each.text if each.wrong
  ] }

  targets = { for key, route in local.routes : key => [for kind, target in route.target : kind if target != null] }

  route_problems = { for key, route in local.routes : "routes.${key}" => [
    for each in concat(
      [
        {
          text  = "target must be exactly one of ${join(", ", keys(local.schemas.target.attributes))}. Several targets for the same events are several routes with the same pattern"
          wrong = length(local.targets[key]) != 1
        },
        {
          text  = "strict belongs to ordering = \"strict\""
          wrong = route.strict != null && coalesce(route.ordering, "none") != "strict"
        },
        {
          text  = "ordering = \"strict\" needs invocation = \"queue\": later events wait in the queue"
          wrong = coalesce(route.ordering, "none") == "strict" && route.invocation != "queue"
        },
        {
          text = "ordering = \"strict\" is for targets that keep an order themselves: FIFO queues and topics, HTTP, state machines, functions that are waited for"
          wrong = coalesce(route.ordering, "none") == "strict" && (
            route.target.event_bus != null || route.target.firehose != null || (route.target.lambda == null ? false : route.target.lambda.invocation == "event")
          )
        },
        {
          text  = "circuit_breaker and ordering belong to what a function delivers: an api_destination, a log group and an sqs target without mode are reached by the rule itself"
          wrong = local.is_by_rule[key] && (route.circuit_breaker != null || route.ordering != null || route.strict != null)
        },
        {
          text  = "invocation = \"direct\" is for what a function delivers: an api_destination, a log group and an sqs target without mode are reached by the rule itself in any case"
          wrong = local.is_by_rule[key] && route.invocation == "direct"
        },
      ],
      [for breaker in route.circuit_breaker[*] : {
        text  = "circuit_breaker.delay_seconds must not be above circuit_breaker.max_delay_seconds (${local.limits.circuit_breaker.properties.max_delay_seconds.default} unless said otherwise)"
        wrong = breaker.delay_seconds == null ? false : breaker.delay_seconds > coalesce(breaker.max_delay_seconds, local.limits.circuit_breaker.properties.max_delay_seconds.default)
      }],
      flatten([for http in route.target.http[*] : [
        {
          text  = "target.http.timeout_seconds must be below function.timeout_seconds (${local.sizes["routes.${key}"].function.timeout_seconds}), so that the function outlives the call that it makes"
          wrong = http.timeout_seconds >= local.sizes["routes.${key}"].function.timeout_seconds
        },
        [for name in keys(http.headers) : {
          text  = "target.http.headers.${name} is no header's name: letters, digits and !#$%&'*+.^_`|~- only"
          wrong = !can(regex(local.limits.headers.propertyNames.pattern, name))
        }],
        [for name in keys(http.headers) : {
          text  = "target.http.headers.${name}: a credential as a constant would end in the state and in the bucket. Put it into a secret and name that in auth"
          wrong = contains(local.limits.headers["x-credentials"], lower(name))
        }],
        [for name in keys(http.headers) : {
          text = "target.http.headers.${name} is set by the delivery itself, or trusted by proxies"
          wrong = contains(local.limits.headers["x-reserved"], lower(name)) || anytrue([
            for prefix in local.limits.headers["x-reserved-prefixes"] : startswith(lower(name), prefix)
          ])
        }],
      ]]),
      [for function in route.target.lambda[*] : {
        text  = "function.timeout_seconds (${local.sizes["routes.${key}"].function.timeout_seconds}) must be at least 5 more than target.lambda.timeout_seconds (${function.timeout_seconds}), so that the function outlives the one that it waits for"
        wrong = function.timeout_seconds + 5 > local.sizes["routes.${key}"].function.timeout_seconds
      }],
      flatten([for api in route.target.api_destination[*] : [
        {
          text  = "target.api_destination needs either auth, from which the module makes a connection, or connection, one of yours: EventBridge calls nobody without one"
          wrong = (api.auth != null) == (api.connection != null)
        },
        {
          text  = "its destination is too long: \"${var.name}-${local.destinations[key]}\" names an API destination and its connection, and may have ${local.limits.hop_name.maxLength} characters"
          wrong = length("${var.name}-${local.destinations[key]}") > local.limits.hop_name.maxLength
        },
        [for name in keys(api.headers) : {
          text  = "target.api_destination.headers.${name} is no header's name: letters, digits and !#$%&'*+.^_`|~- only"
          wrong = !can(regex(local.limits.rule_headers.propertyNames.pattern, name))
        }],
        [for name in keys(api.headers) : {
          text  = "target.api_destination.headers.${name}: credentials belong into a secret, see auth"
          wrong = contains(local.limits.rule_headers["x-credentials"], lower(name))
        }],
      ]]),
    ) : each.text if each.wrong
  ] }

  known_problems = { for id in keys(local.sizes) : id => distinct(concat(
    [for problem in local.schema_problems : problem.text if problem.hop == id],
    local.key_problems[id],
    local.sizes_problems[id],
    lookup(local.transform_problems, id, []),
    lookup(local.route_problems, id, []),
  )) }
}

################################################################################
# Texts
################################################################################

locals {
  pattern_problems = { for key, hop in local.hops : hop.path => [
    for each in [
      {
        text  = "pattern must be a JSON object. Write jsonencode({ ... })"
        wrong = hop.pattern == null ? false : !can(keys(jsondecode(hop.pattern)))
      },
      {
        text  = "an empty pattern matches every event. Where that is meant, set match_all = true"
        wrong = !hop.match_all && try(length(keys(jsondecode(hop.pattern))), 1) == 0
      },
      {
        text  = "pattern has ${local.pattern_lengths[key]} characters with what the module adds; EventBridge allows ${local.limits.event_pattern.maxLength}. Split it into several ${startswith(hop.path, "routes.") ? "routes with the same destination" : "transforms with the same steps"}"
        wrong = local.pattern_lengths[key] > local.limits.event_pattern.maxLength
      },
      {
        text  = "pattern names ${join(" and ", local.reserved_paths[key])}, which the module sets itself: take it out. A route's stage is its attribute \"stage\"; events that are redriven reach the hop that failed by themselves"
        wrong = length(local.reserved_paths[key]) > 0
      },
      {
        text  = "pattern has fields that no event has: ${join(", ", local.unknown_fields[key])}. An event has version, id, detail-type, source, account, time, region, resources and detail; what the partner sent is in detail.data, what the kit says of it in detail.metadata"
        wrong = length(local.unknown_fields[key]) > 0
      },
      {
        text  = "pattern: ${join(" and ", local.values_of_objects[key])} is an object in every event: name fields within it"
        wrong = length(local.values_of_objects[key]) > 0
      },
      {
        text  = "pattern names a source more than two $or deep, where the module can't combine it with its own condition: write the alternatives side by side"
        wrong = local.deep_sources[key] && !local.names_source[key]
      },
      {
        text  = "pattern: ${join(", ", local.bare_values[key])} must be a list of values, also of a single one: source = [\"partner.mux\"]"
        wrong = length(local.bare_values[key]) > 0
      },
    ] : each.text if each.wrong
  ] }

  step_kinds = keys(local.schemas.step.attributes)

  steps = { for key, transform in local.transforms : key => try([for step in jsondecode(transform.steps) : step], []) }

  step_problems = { for key, transform in local.transforms : "transforms.${key}" => [
    for each in concat(
      [
        {
          text = "steps must be a JSON list that is not empty, of objects with exactly one key each: ${join(", ", local.step_kinds)}"
          wrong = transform.steps == null ? false : can(keys(jsondecode(transform.steps))) || length(local.steps[key]) == 0 || !try(
            alltrue([for step in local.steps[key] : length(keys(step)) == 1 && contains(local.step_kinds, keys(step)[0])]),
          false)
        },
        {
          text  = "package: there is no file ${transform.package == null ? "" : transform.package} on the machine that runs Terraform"
          wrong = transform.package == null ? false : !fileexists(transform.package)
        },
      ],
      [for cidr in lookup(local.out_of_reach, "transforms.${key}", []) : {
        text  = format(local.no_vpc, "allowed_private_cidrs of a lookup: ${cidr}")
        wrong = true
      }],
      flatten([for index, step in local.steps[key] : [
        [for lookup in try([step.lookup], []) : {
          text  = "steps[${index}]: a lookup has exactly one of dynamodb, http and s3, and into: the path in data where the answer goes"
          wrong = !(length([for source in ["dynamodb", "http", "s3"] : source if can(lookup[source])]) == 1 && can(lookup.into))
        }],
        {
          text = "steps[${index}] must name what it asks for in full, because the function is permitted exactly that: table_arn, function_arn and the secrets of auth and tls are ARNs, bucket is a bucket's name, prefix has no wildcards"
          wrong = !alltrue(concat(
            [for table in try([step.lookup.dynamodb], []) : can(regex(local.limits.table_arn.pattern, table.table_arn))],
            [for object in try([step.lookup.s3], []) : can(regex("^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$", object.bucket)) && !can(regex("[*?$]", object.prefix))],
            [for auth in try([step.lookup.http.auth], []) : can(regex(local.limits.secret_arn.pattern, auth.secret_arn))],
            [for name, arn in try(step.lookup.http.tls, {}) : can(regex(local.limits.secret_arn.pattern, arn)) if endswith(name, "_secret_arn") && arn != null],
            [for call in try([step.call], []) : can(regex(local.limits.function_arn.pattern, call.function_arn))],
          ))
        },
        {
          text = "function.timeout_seconds (${transform.function.timeout_seconds}) must be at least 2 more than that of steps[${index}] (5 of a lookup and 10 of a call that say nothing), so that the function outlives what it waits for"
          wrong = !try(max(concat(
            [for source in ["dynamodb", "http", "s3"] : try(step.lookup[source].timeout_seconds, 5) if can(step.lookup[source])],
            [for call in try([step.call], []) : try(call.timeout_seconds, 10)],
            [-2],
          )...) + 2 <= transform.function.timeout_seconds, false)
        },
      ]]),
    ) : each.text if each.wrong
  ] }

  # What routes to the same API destination must have in common.
  api_settings = { for key, route in local.routes : key => jsonencode({
    for name in ["url", "method", "rate_limit_per_second", "connection", "auth"] : name => route.target.api_destination[name]
  }) if route.target.api_destination != null }

  target_problems = { for key, route in local.routes : "routes.${key}" => [
    for each in concat(
      [for cidr in lookup(local.out_of_reach, "routes.${key}", []) : {
        text  = format(local.no_vpc, "target.http.allowed_private_cidrs: ${cidr}")
        wrong = true
      }],
      [for url in local.forbidden_urls[key] : {
        text  = "target leads to ${url}, which is no public host: a private address, this machine, a number in place of a name, or a metadata service. Private networks that are meant go into allowed_private_cidrs of target.http"
        wrong = true
      }],
      flatten([for http in route.target.http[*] : [
        {
          text = "target.http.url must be an https:// URL without credentials in it (they belong into a secret, see auth). An http:// URL needs allow_http = true"
          wrong = http.url == null ? false : (
            !can(regex(http.allow_http ? "^https?://[^/?#@\\s]+" : "^https://[^/?#@\\s]+", http.url)) || can(regex("^[a-z]+://[^/?#]*@", http.url))
          )
        },
        [for cidr in http.allowed_private_cidrs : {
          text  = "target.http.allowed_private_cidrs: ${coalesce(cidr, "null")} is no network such as 10.20.0.0/16"
          wrong = !can(cidrhost(cidr, 0))
        }],
        [for tls in http.tls[*] : [
          {
            text  = "target.http.tls must name ca_secret_arn or client_certificate_secret_arn"
            wrong = tls.ca_secret_arn == null && tls.client_certificate_secret_arn == null
          },
          {
            text  = "target.http.tls is for an https:// URL"
            wrong = try(!startswith(http.url, "https://"), false)
          },
        ]],
        [for auth in http.auth[*] : [
          {
            text  = "target.http.auth.header belongs to type \"api-key\", which needs it"
            wrong = (auth.type == "api-key") != (auth.header != null)
          },
          {
            text  = "target.http.auth.header is set by headers as well"
            wrong = auth.header == null ? false : contains([for name in keys(http.headers) : lower(name)], lower(auth.header))
          },
          {
            text  = "target.http.auth of type \"oauth2-client-credentials\" needs token_url, a URL"
            wrong = auth.type == "oauth2-client-credentials" && !can(regex("^https?://[^/?#@\\s]+", auth.token_url))
          },
          [for name in ["token_url", "scope", "audience", "client_authentication"] : {
            text  = "target.http.auth.${name} belongs to type \"oauth2-client-credentials\""
            wrong = auth.type != "oauth2-client-credentials" && auth[name] != null
          }],
        ]],
      ]]),
      flatten([for sqs in route.target.sqs[*] : [
        {
          text  = "target.sqs: a FIFO queue needs either message_group_id (the rule sends, all messages in one group) or mode (a function sends, each event in the group of its partitionkey); a standard queue has no message_group_id"
          wrong = sqs.mode == null && try(endswith(sqs.queue_arn, ".fifo"), sqs.message_group_id != null) != (sqs.message_group_id != null)
        },
        {
          text  = "target.sqs with mode has no message_group_id, no input_transformer and no manage_queue_policy: those are for the rule, and a function sends"
          wrong = sqs.mode != null && (sqs.message_group_id != null || sqs.input_transformer != null || sqs.manage_queue_policy)
        },
        {
          text  = "target.sqs.kms_key is for a function that sends: set mode"
          wrong = sqs.mode == null && sqs.kms_key != null
        },
        {
          text = "target.sqs.manage_queue_policy is set for this queue by several routes, and a queue has one policy. Set it on one of them: the policy lets in the rules of all"
          wrong = sqs.manage_queue_policy && length([
            for other in local.routes : true
            if try(other.target.sqs.manage_queue_policy && other.target.sqs.queue_arn == sqs.queue_arn, false)
          ]) > 1
        },
      ]]),
      [for arn in [for target in concat(route.target.sqs[*].queue_arn, route.target.sns[*].topic_arn) : target] : {
        text  = "ordering = \"strict\" is for targets that keep an order themselves: FIFO queues and topics, HTTP, state machines, functions that are waited for"
        wrong = coalesce(route.ordering, "none") == "strict" && try(!endswith(arn, ".fifo"), false)
      }],
      [for bus in route.target.event_bus[*] : {
        text  = "target.event_bus.bus_arn must be another event bus than the router's own"
        wrong = bus.bus_arn == var.bus_arn
      }],
      flatten([for callback in route.target.task_callback[*] : [
        {
          text  = "target.task_callback.correlation_key must be a JMESPath expression over metadata and data"
          wrong = callback.correlation_key == null ? false : length(trimspace(callback.correlation_key)) == 0
        },
        {
          text  = "target.task_callback.error must not begin with States., which Step Functions keeps for its own"
          wrong = callback.error == null ? false : startswith(callback.error, "States.")
        },
      ]]),
      flatten([for api in route.target.api_destination[*] : [
        {
          text = "target.api_destination.url must be an https:// URL without credentials in it (they belong into a secret, see auth). EventBridge takes no others; allow_http is for a local cloud"
          wrong = api.url == null ? false : (
            !can(regex(api.allow_http ? "^https?://[^/?#@\\s]+" : "^https://[^/?#@\\s]+", api.url)) || can(regex("^[a-z]+://[^/?#]*@", api.url))
          )
        },
        {
          text  = "target.api_destination.path_values must have one value for each * of the URL"
          wrong = api.url == null ? false : length(api.path_values) != length(regexall("[*]", api.url))
        },
        [for auth in api.auth[*] : [
          {
            text  = "target.api_destination.auth.header belongs to type \"api-key\", which needs it"
            wrong = (auth.type == "api-key") != (auth.header != null)
          },
          {
            text  = "target.api_destination.auth of type \"oauth2-client-credentials\" needs token_url, an https:// URL"
            wrong = auth.type == "oauth2-client-credentials" && !can(regex("^https://[^/?#@\\s]+", auth.token_url))
          },
          [for name in ["token_url", "scope", "audience"] : {
            text  = "target.api_destination.auth.${name} belongs to type \"oauth2-client-credentials\""
            wrong = auth.type != "oauth2-client-credentials" && auth[name] != null
          }],
        ]],
        {
          text  = "target.api_destination: url, method, rate_limit_per_second, connection and auth must be the same in all routes to ${local.destinations[key]}, which share one API destination. Give another destination to what differs"
          wrong = length(distinct([for other, settings in local.api_settings : settings if local.destinations[other] == local.destinations[key]])) > 1
        },
      ]]),
      flatten([for kind in ["api_destination", "logs", "sqs"] : [for transformer in try(route.target[kind].input_transformer, null)[*] : [
        {
          text = "target.${kind}.input_transformer.template must be JSON once its placeholders have values: texts stand between quotes, placeholders for whole values without. EventBridge refuses all else"
          # Within a text and outside, a digit may stand where a value will. Each line may be JSON by itself.
          wrong = transformer.template == null ? false : length(trimspace(transformer.template)) == 0 || !(
            can(jsondecode(replace(transformer.template, "/<[A-Za-z0-9_.-]+>/", "0"))) ||
            alltrue([for line in split("\n", transformer.template) : can(jsondecode(replace(line, "/<[A-Za-z0-9_.-]+>/", "0"))) || trimspace(line) == ""])
          )
        },
        {
          text  = "target.${kind}.input_transformer.template has a placeholder in a key, which EventBridge takes in values only"
          wrong = transformer.template == null ? false : can(regex("\"[^\"]*<[A-Za-z0-9_.-]+>[^\"]*\"\\s*:", transformer.template))
        },
      ]]]),
      flatten([for logs in route.target.logs[*] : [
        [for group in logs.log_group[*] : {
          text  = "target.logs.log_group.arn must be in the bus's own account and region"
          wrong = try(slice(split(":", group.arn), 3, 5) != slice(local.bus_arn_parts, 3, 5), false)
        }],
        [for transformer in logs.input_transformer[*] : {
          text  = "target.logs.input_transformer: EventBridge writes to a log group only what its template makes of the form {\"timestamp\": <milliseconds or a time>, \"message\": \"...\"}"
          wrong = transformer.template == null ? false : !(can(regex("\"timestamp\"", transformer.template)) && can(regex("\"message\"", transformer.template)))
        }],
      ]]),
    ) : each.text if each.wrong
  ] }

  text_problems = { for id in keys(local.sizes) : id => distinct(concat(
    lookup(local.schema_text_problems, id, []),
    lookup(local.pattern_problems, id, []),
    lookup(local.step_problems, id, []),
    lookup(local.target_problems, id, []),
  )) }
}

locals {
  place   = var.retired ? "retired." : ""
  hop_ids = keys(local.known_problems)
  all_known_problems = concat(
    [for problem in local.schema_problems : "${local.place}${problem.hop}: ${problem.text}" if !contains(local.hop_ids, problem.hop)],
    flatten([for id, problems in local.known_problems : [for problem in problems : "${local.place}${id}: ${problem}"]]),
  )
  all_text_problems = flatten([for id, problems in local.text_problems : [for problem in problems : "${local.place}${id}: ${problem}"]])
}
