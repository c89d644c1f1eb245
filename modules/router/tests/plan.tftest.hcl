# Plans with the real provider and no access to AWS: patterns and policies are what AWS would get.

provider "aws" {
  region                      = "eu-west-1"
  access_key                  = "test"
  secret_key                  = "test"
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_region_validation      = true
  skip_requesting_account_id  = true
}

variables {
  name    = "media-test"
  bus_arn = "arn:aws:events:eu-west-1:123456789012:event-bus/media"
  settings = {
    bucket  = { name = "kit", arn = "arn:aws:s3:::kit" }
    package = { s3_bucket = "packages", s3_key = "media_events.zip" }
    alarms  = { actions = { critical = ["arn:aws:sns:eu-west-1:123456789012:operators"] } }
  }

  transforms = {
    enrich = {
      pattern = jsonencode({ source = ["partner.mux"] })
      steps   = jsonencode([{ enrich = { region = "data.region" } }, { set = { "rights.tier" = 1 } }])
      failure = { redrive = { max_count = 5 } }
    }
  }

  routes = {
    cms = {
      pattern     = jsonencode({ detail-type = [{ prefix = "asset." }], detail = { metadata = { partner = ["mux"] }, data = { kind = ["video"] } } })
      destination = "catalogue"
      target = { http = {
        url  = "https://cms.example.com/events"
        auth = { type = "api-key", header = "x-api-key", secret_arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:cms-AbCdEf" }
      } }
      rule_retry = { max_age_seconds = 3600 }
    }
    ingest = {
      pattern = jsonencode({ detail-type = ["asset.ready"] })
      target  = { step_functions = { state_machine_arn = "arn:aws:states:eu-west-1:123456789012:stateMachine:ingest" } }
    }
    lake = {
      pattern   = jsonencode({})
      match_all = true
      stage     = "received"
      enabled   = false
      target = { sqs = {
        queue_arn           = "arn:aws:sqs:eu-west-1:123456789012:lake"
        queue_url           = "https://sqs.eu-west-1.amazonaws.com/123456789012/lake"
        manage_queue_policy = true
        input_transformer   = { paths = { id = "$.detail.metadata.id" }, template = "{\"id\": <id>}\n" }
      } }
    }
    lake-rights = {
      pattern = jsonencode({ source = ["partner.rights"] })
      target = { sqs = {
        queue_arn = "arn:aws:sqs:eu-west-1:123456789012:lake"
        queue_url = "https://sqs.eu-west-1.amazonaws.com/123456789012/lake"
      } }
    }
    ordered = {
      pattern    = jsonencode({ source = ["partner.qc"] })
      rule_retry = { max_attempts = 3 }
      failure    = { redrive = { max_delay_seconds = 600 } }
      target = { sqs = {
        queue_arn        = "arn:aws:sqs:eu-west-1:123456789012:ordered.fifo"
        queue_url        = "https://sqs.eu-west-1.amazonaws.com/123456789012/ordered.fifo"
        message_group_id = "qc"
      } }
    }
  }
}

# What AWS would answer, for the queues and the idempotency store: policies name them.

override_resource {
  target          = aws_dynamodb_table.idempotency
  override_during = plan
  values          = { arn = "arn:aws:dynamodb:eu-west-1:123456789012:table/media-test-idempotency" }
}

override_resource {
  target          = module.hop["ordered"].aws_sqs_queue.dlq
  override_during = plan
  values          = { arn = "arn:aws:sqs:eu-west-1:123456789012:direct-dlq", url = "https://sqs.example/direct-dlq" }
}

override_resource {
  target          = module.hop["enrich"].aws_sqs_queue.this
  override_during = plan
  values          = { arn = "arn:aws:sqs:eu-west-1:123456789012:media-test-enrich", url = "https://sqs.example/media-test-enrich" }
}

override_resource {
  target          = module.hop["enrich"].aws_sqs_queue.dlq
  override_during = plan
  values          = { arn = "arn:aws:sqs:eu-west-1:123456789012:media-test-enrich-dlq", url = "https://sqs.example/media-test-enrich-dlq" }
}

override_resource {
  target          = module.hop["enrich"].module.function[0].aws_cloudwatch_log_group.this
  override_during = plan
  values          = { arn = "arn:aws:logs:eu-west-1:123456789012:log-group:enrich" }
}

override_resource {
  target          = module.hop["cms"].aws_sqs_queue.this
  override_during = plan
  values          = { arn = "arn:aws:sqs:eu-west-1:123456789012:media-test-cms", url = "https://sqs.example/media-test-cms" }
}

override_resource {
  target          = module.hop["cms"].aws_sqs_queue.dlq
  override_during = plan
  values          = { arn = "arn:aws:sqs:eu-west-1:123456789012:media-test-cms-dlq", url = "https://sqs.example/media-test-cms-dlq" }
}

override_resource {
  target          = module.hop["cms"].module.function[0].aws_cloudwatch_log_group.this
  override_during = plan
  values          = { arn = "arn:aws:logs:eu-west-1:123456789012:log-group:cms" }
}

override_resource {
  target          = module.hop["cms"].module.function[0].aws_lambda_function.this
  override_during = plan
  values          = { arn = "arn:aws:lambda:eu-west-1:123456789012:function:media-test-cms" }
}

override_resource {
  target          = module.hop["ingest"].aws_sqs_queue.this
  override_during = plan
  values          = { arn = "arn:aws:sqs:eu-west-1:123456789012:media-test-ingest", url = "https://sqs.example/media-test-ingest" }
}

override_resource {
  target          = module.hop["ingest"].aws_sqs_queue.dlq
  override_during = plan
  values          = { arn = "arn:aws:sqs:eu-west-1:123456789012:media-test-ingest-dlq", url = "https://sqs.example/media-test-ingest-dlq" }
}

override_resource {
  target          = module.hop["ingest"].module.function[0].aws_cloudwatch_log_group.this
  override_during = plan
  values          = { arn = "arn:aws:logs:eu-west-1:123456789012:log-group:ingest" }
}

################################################################################
# Rules
################################################################################

run "patterns_are_the_users_and_hold_back_what_is_not_for_the_hop" {
  command = plan

  assert {
    condition = jsondecode(aws_cloudwatch_event_rule.this["cms"].event_pattern) == {
      source      = [{ prefix = "partner." }]
      detail-type = [{ prefix = "asset." }]
      detail = {
        data     = { kind = ["video"] }
        metadata = { partner = ["mux"], stage = ["transformed"], redrive = { route = [{ exists = false }, "route/cms"] } }
      }
    }
    error_message = "A route takes transformed events where there are transforms, and redriven ones that are for it alone."
  }

  assert {
    condition = jsondecode(aws_cloudwatch_event_rule.this["enrich"].event_pattern) == {
      source = ["partner.mux"]
      detail = { metadata = { stage = ["received"], redrive = { route = [{ exists = false }, "transform/enrich"] } } }
    }
    error_message = "A transform takes events as received; its own would go round in circles."
  }

  assert {
    condition = jsondecode(aws_cloudwatch_event_rule.this["lake"].event_pattern) == {
      source = [{ prefix = "partner." }]
      detail = { metadata = { stage = ["received"], redrive = { route = [{ exists = false }, "route/lake"] } } }
    }
    error_message = "match_all still has a stage, or an event would come twice."
  }

  assert {
    condition     = aws_cloudwatch_event_rule.this["lake"].state == "DISABLED" && aws_cloudwatch_event_rule.this["cms"].state == "ENABLED"
    error_message = "enabled = false must switch the rule off, and only that."
  }

  assert {
    condition     = alltrue([for key, rule in aws_cloudwatch_event_rule.this : rule.event_bus_name == "media" && rule.name == "media-test-${key}"])
    error_message = "Rules belong to the bus and are called after the hop."
  }

  assert {
    condition     = output.event_patterns["route/cms"] == aws_cloudwatch_event_rule.this["cms"].event_pattern
    error_message = "The output must show the rule's pattern."
  }
}

run "without_transforms_routes_take_events_as_received" {
  command = plan

  variables {
    transforms = {}
    routes = {
      cms = { pattern = jsonencode({ source = ["partner.mux"] }), target = { http = { url = "https://cms.example.com/" } } }
    }
  }

  assert {
    condition     = jsondecode(aws_cloudwatch_event_rule.this["cms"].event_pattern).detail.metadata.stage == ["received"]
    error_message = "No event is ever transformed here; the route would wait for ever."
  }
}

run "alternatives_stand_beside_the_added_conditions" {
  command = plan

  variables {
    transforms = {}
    routes = {
      cms = {
        pattern = jsonencode({ "$or" = [{ source = ["partner.mux"] }, { detail = { data = { stage = ["final"] } } }] })
        target  = { http = { url = "https://cms.example.com/" } }
      }
    }
  }

  assert {
    condition = jsondecode(aws_cloudwatch_event_rule.this["cms"].event_pattern) == {
      "$or" = [
        { source = ["partner.mux"] },
        { source = [{ prefix = "partner." }], detail = { data = { stage = ["final"] } } },
      ]
      detail = { metadata = { stage = ["received"], redrive = { route = [{ exists = false }, "route/cms"] } } }
    }
    error_message = "The conditions hold for every alternative, and a partner's own field called stage is the user's."
  }
}

################################################################################
# Targets
################################################################################

run "targets_have_their_own_dead_letter_queues_and_the_policies_that_let_rules_in" {
  command = plan

  assert {
    condition = (
      toset(keys(aws_cloudwatch_event_target.this)) == toset(keys(aws_cloudwatch_event_rule.this))
      && aws_cloudwatch_event_target.this["cms"].arn == "arn:aws:sqs:eu-west-1:123456789012:media-test-cms"
      && aws_cloudwatch_event_target.this["cms"].dead_letter_config[0].arn == "arn:aws:sqs:eu-west-1:123456789012:media-test-cms-dlq"
      && aws_cloudwatch_event_target.this["enrich"].dead_letter_config[0].arn == "arn:aws:sqs:eu-west-1:123456789012:media-test-enrich-dlq"
      && aws_cloudwatch_event_target.this["ordered"].dead_letter_config[0].arn == "arn:aws:sqs:eu-west-1:123456789012:direct-dlq"
    )
    error_message = "Each rule has one target, with the hop's own dead-letter queue."
  }

  assert {
    condition = (
      aws_cloudwatch_event_target.this["cms"].retry_policy[0].maximum_event_age_in_seconds == 3600
      && aws_cloudwatch_event_target.this["cms"].retry_policy[0].maximum_retry_attempts == 185
      && aws_cloudwatch_event_target.this["ordered"].retry_policy[0].maximum_event_age_in_seconds == 86400
      && aws_cloudwatch_event_target.this["ordered"].retry_policy[0].maximum_retry_attempts == 3
    )
    error_message = "Half a retry policy means 0 for the other half: both must be set."
  }

  assert {
    condition = (
      aws_cloudwatch_event_target.this["lake"].arn == "arn:aws:sqs:eu-west-1:123456789012:lake"
      && aws_cloudwatch_event_target.this["lake"].input_transformer[0].input_template == "{\"id\": <id>}"
      && aws_cloudwatch_event_target.this["lake"].input_transformer[0].input_paths == tomap({ id = "$.detail.metadata.id" })
      && aws_cloudwatch_event_target.this["ordered"].sqs_target[0].message_group_id == "qc"
      && length(aws_cloudwatch_event_target.this["lake"].sqs_target) == 0
    )
    error_message = "A direct route sends to the user's queue, transformed if asked, with a message group if FIFO."
  }

  assert {
    condition = jsondecode(module.hop["ordered"].dlq_policy).Statement == [
      {
        Sid       = "DenyWithoutTls"
        Effect    = "Deny"
        Action    = "sqs:*"
        Resource  = "arn:aws:sqs:eu-west-1:123456789012:media-test-ordered-dlq"
        Principal = "*"
        Condition = { Bool = { "aws:SecureTransport" = "false" } }
      },
      {
        Sid       = "AllowRules"
        Effect    = "Allow"
        Action    = "sqs:SendMessage"
        Resource  = "arn:aws:sqs:eu-west-1:123456789012:media-test-ordered-dlq"
        Principal = { Service = "events.amazonaws.com" }
        Condition = { ArnEquals = { "aws:SourceArn" = ["arn:aws:events:eu-west-1:123456789012:rule/media/media-test-ordered"] } }
      },
    ]
    error_message = "Without this policy EventBridge loses the event; with a wider one any rule could fill the queue."
  }

  assert {
    condition = (
      jsondecode(output.sqs_target_policies["lake"]).Statement[0].Condition.ArnEquals["aws:SourceArn"] == "arn:aws:events:eu-west-1:123456789012:rule/media/media-test-*"
      && output.sqs_target_policies["lake"] == output.sqs_target_policies["lake-rights"]
    )
    error_message = "A queue has one policy: two routes that each brought their own would lock one another out."
  }

  assert {
    condition     = keys(aws_sqs_queue_policy.own_target) == ["lake"] && jsondecode(aws_sqs_queue_policy.own_target["lake"].policy) == jsondecode(output.sqs_target_policies["lake"])
    error_message = "The policy is attached on request only."
  }
}

run "rules_of_the_default_bus_have_no_bus_in_their_arn_and_their_metrics" {
  command = plan

  variables {
    bus_arn = "arn:aws:events:eu-west-1:123456789012:event-bus/default"
  }

  assert {
    condition = (
      jsondecode(module.hop["ordered"].dlq_policy).Statement[1].Condition.ArnEquals["aws:SourceArn"] == ["arn:aws:events:eu-west-1:123456789012:rule/media-test-ordered"]
      && jsondecode(output.sqs_target_policies["ordered"]).Statement[0].Condition.ArnEquals["aws:SourceArn"] == "arn:aws:events:eu-west-1:123456789012:rule/media-test-*"
    )
    error_message = "rule/default/<name> matches no rule, and the dead letters would be lost."
  }

  assert {
    condition     = endswith(module.alarms.alarms["cms-rule-failed"].metrics["lost"], jsonencode({ RuleName = "media-test-cms" }))
    error_message = "EventBridge reports rules of the default bus by name alone."
  }
}

################################################################################
# Functions
################################################################################

run "functions_may_do_and_are_told_what_their_handlers_need" {
  command = plan

  assert {
    condition = jsondecode(module.hop["cms"].policy).Statement == [
      { Sid = "WriteLog", Effect = "Allow", Action = ["logs:CreateLogStream", "logs:PutLogEvents"], Resource = ["arn:aws:logs:eu-west-1:123456789012:log-group:cms:*"] },
      { Sid = "ReadConfiguration", Effect = "Allow", Action = ["s3:GetObject"], Resource = ["arn:aws:s3:::kit/configuration/media-test-cms/*"] },
      { Sid = "ConsumeQueue", Effect = "Allow", Action = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility", "sqs:GetQueueAttributes"], Resource = ["arn:aws:sqs:eu-west-1:123456789012:media-test-cms"] },
      { Sid = "Defer", Effect = "Allow", Action = ["sqs:SendMessage"], Resource = ["arn:aws:sqs:eu-west-1:123456789012:media-test-cms"] },
      { Sid = "GiveUp", Effect = "Allow", Action = ["sqs:SendMessage"], Resource = ["arn:aws:sqs:eu-west-1:123456789012:media-test-cms-dlq"] },
      { Sid = "IdempotencyStore", Effect = "Allow", Action = ["dynamodb:DeleteItem", "dynamodb:GetItem", "dynamodb:PartiQLInsert", "dynamodb:PartiQLUpdate", "dynamodb:PutItem", "dynamodb:UpdateItem"], Resource = ["arn:aws:dynamodb:eu-west-1:123456789012:table/media-test-idempotency"] },
      { Sid = "Secret", Effect = "Allow", Action = ["secretsmanager:GetSecretValue"], Resource = ["arn:aws:secretsmanager:eu-west-1:123456789012:secret:cms-AbCdEf"] },
    ]
    error_message = "The function may do this and nothing else."
  }

  assert {
    condition = [for statement in jsondecode(module.hop["ingest"].policy).Statement : statement if contains(["StartExecution", "Secret"], statement.Sid)] == [
      { Sid = "StartExecution", Effect = "Allow", Action = ["states:StartExecution"], Resource = ["arn:aws:states:eu-west-1:123456789012:stateMachine:ingest"] },
    ]
    error_message = "A route to a state machine starts that one, and reads no secret."
  }

  assert {
    condition = [for statement in jsondecode(module.hop["enrich"].policy).Statement : statement if !contains(["WriteLog", "ReadConfiguration", "ConsumeQueue", "GiveUp"], statement.Sid)] == [
      { Sid = "EventBodies", Effect = "Allow", Action = ["s3:GetObject", "s3:PutObject"], Resource = ["arn:aws:s3:::kit/bodies/events/*"] },
      { Sid = "FindEventBodies", Effect = "Allow", Action = ["s3:ListBucket"], Resource = ["arn:aws:s3:::kit"], Condition = { StringLike = { "s3:prefix" = ["bodies/events/*"] } } },
      { Sid = "IdempotencyStore", Effect = "Allow", Action = ["dynamodb:DeleteItem", "dynamodb:GetItem", "dynamodb:PutItem"], Resource = ["arn:aws:dynamodb:eu-west-1:123456789012:table/media-test-idempotency"] },
      { Sid = "PublishTransformed", Effect = "Allow", Action = ["events:PutEvents"], Resource = ["arn:aws:events:eu-west-1:123456789012:event-bus/media"] },
    ]
    error_message = "A transform publishes on the bus, and asks for decisions; it has no secret and no destination."
  }

  assert {
    condition = (
      module.hop["cms"].environment["HOP"] == "route/cms"
      && module.hop["cms"].environment["IDEMPOTENCY_TABLE"] == "media-test-idempotency"
      && !contains(keys(module.hop["cms"].environment), "BUS_ARN")
      && module.hop["enrich"].environment["HOP"] == "transform/enrich"
      && module.hop["enrich"].environment["BUS_ARN"] == "arn:aws:events:eu-west-1:123456789012:event-bus/media"
      && module.hop["enrich"].environment["BODIES_URI"] == "s3://kit/bodies/events/"
    )
    error_message = "The environment must be what the contract between modules and functions says."
  }

  assert {
    condition = jsondecode(jsonencode(local.destination_documents["cms"])) == {
      name                  = "catalogue"
      type                  = "http"
      url                   = "https://cms.example.com/events"
      mode                  = "structured"
      headers               = {}
      timeout_seconds       = 10
      allowed_private_cidrs = []
      allow_http            = false
      auth                  = { type = "api-key", header = "x-api-key", secret_arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:cms-AbCdEf" }
    }
    error_message = "The http destination is not what the deliver function reads."
  }

  assert {
    condition     = local.destination_documents["ingest"] == { name = "ingest", type = "step-functions", state_machine_arn = "arn:aws:states:eu-west-1:123456789012:stateMachine:ingest" }
    error_message = "The states destination is not what the deliver function reads."
  }
}

################################################################################
# Idempotency store, alarms, outputs
################################################################################

run "idempotency_store_alarms_and_outputs_are_complete" {
  command = plan

  assert {
    condition = (
      aws_dynamodb_table.idempotency[0].hash_key == "pk" && aws_dynamodb_table.idempotency[0].range_key == null
      && aws_dynamodb_table.idempotency[0].ttl[0].attribute_name == "expires" && aws_dynamodb_table.idempotency[0].ttl[0].enabled
      && aws_dynamodb_table.idempotency[0].point_in_time_recovery[0].enabled
    )
    error_message = "The idempotency store must be as the functions expect it."
  }

  assert {
    condition = (
      toset(keys(module.alarms.alarms)) == toset(concat(
        ["circuit-breaker-open", "events-waiting"],
        [for key in keys(aws_cloudwatch_event_rule.this) : "${key}-rule-failed"],
      ))
      && module.alarms.alarms["cms-rule-failed"].metrics["lost"] == "AWS/Events InvocationsFailedToBeSentToDlq Sum ${jsonencode({ EventBusName = "media", RuleName = "media-test-cms" })}"
      && local.definitions["ordered"].failure.dlq_age_alarm_seconds == 600 + 3600
      && module.hop["ordered"].alarm_names.critical == { "route/ordered/dlq-age" = "media-test-ordered-dlq-age" }
      && module.alarms.alarms["events-waiting"].metrics["age"] == "MediaEvents WaitingEventAge Maximum ${jsonencode({ router = "media-test" })}"
      && module.alarms.alarms["circuit-breaker-open"].threshold == 3600
      && alltrue([for alarm in values(module.alarms.alarms) : alarm.missing == "notBreaching"])
      && module.alarms.alarms["cms-rule-failed"].actions["ALARM"] == toset(["arn:aws:sns:eu-west-1:123456789012:operators"])
    )
    error_message = "A rule that fails, or loses events, must be told of; no data is no alarm, because EventBridge reports no zeros."
  }

  assert {
    condition     = toset(keys(output.dead_letter_queues)) == toset(["transform/enrich", "route/cms", "route/ingest", "route/lake", "route/lake-rights", "route/ordered"])
    error_message = "Every hop has a dead-letter queue, and the keys must be known when planned."
  }

  assert {
    condition = output.dead_letter_queues["route/cms"] == {
      queue_arn        = "arn:aws:sqs:eu-west-1:123456789012:media-test-cms-dlq"
      queue_url        = "https://sqs.example/media-test-cms-dlq"
      hop              = "route/cms"
      destination      = "catalogue"
      source_queue_arn = "arn:aws:sqs:eu-west-1:123456789012:media-test-cms"
      source_queue_url = "https://sqs.example/media-test-cms"
      function_arn     = null
      consumer_arn     = "arn:aws:lambda:eu-west-1:123456789012:function:media-test-cms"
      redrive_target   = "queue"
      rule_arn         = "arn:aws:events:eu-west-1:123456789012:rule/media/media-test-cms"
      ordered          = false
      redrive          = { max_count = 3, base_delay_seconds = 60, max_delay_seconds = 3600, max_age_seconds = 172800, max_per_second = 5 }

      idempotency_table = { name = "media-test-idempotency", arn = "arn:aws:dynamodb:eu-west-1:123456789012:table/media-test-idempotency" }
    }
    error_message = "A consumer's dead letters go back to its queue."
  }

  assert {
    condition = (
      output.dead_letter_queues["route/ordered"].redrive_target == "bus"
      && output.dead_letter_queues["route/ordered"].source_queue_arn == null
      && output.dead_letter_queues["transform/enrich"].redrive.max_count == 5
      && output.dead_letter_queues["transform/enrich"].destination == "transform/enrich"
    )
    error_message = "A direct route's dead letters go back by the bus, for its rule alone."
  }
}

run "a_customer_managed_key_encrypts_queues_and_table" {
  command = plan

  variables {
    settings = { kms_key = { arn = "arn:aws:kms:eu-west-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab" }, bucket = { name = "kit", arn = "arn:aws:s3:::kit" }, package = { s3_bucket = "packages", s3_key = "media_events.zip" } }
  }

  assert {
    condition = (
      aws_dynamodb_table.idempotency[0].server_side_encryption[0].kms_key_arn == var.settings.kms_key.arn
      && contains([for statement in jsondecode(module.hop["cms"].policy).Statement : statement.Sid], "UseKey")
    )
    error_message = "Everything that stores events must use the key, and the functions must be allowed to."
  }
}

run "a_network_of_its_own_takes_the_place_of_the_shared_one" {
  command = plan

  variables {
    settings = {
      bucket  = { name = "kit", arn = "arn:aws:s3:::kit" }
      package = { s3_bucket = "packages", s3_key = "media_events.zip" }
      vpc     = { subnet_ids = ["subnet-0a"], security_group_ids = ["sg-0a"] }
    }
    transforms = {
      enrich = { pattern = jsonencode({ source = ["partner.mux"] }), steps = jsonencode([{ drop = "data.test" }]), vpc = { subnet_ids = ["subnet-0b"], security_group_ids = ["sg-0b"] } }
      direct = { pattern = jsonencode({ source = ["partner.mux"] }), steps = jsonencode([{ drop = "data.test" }]), invocation = "direct", vpc = { subnet_ids = ["subnet-0c"], security_group_ids = ["sg-0c"] } }
    }
    routes = {
      cms    = { pattern = jsonencode({ source = ["partner.mux"] }), target = { http = { url = "https://cms.example.com/" } } }
      ingest = { pattern = jsonencode({ source = ["partner.mux"] }), target = { http = { url = "https://mam.example.com/" } }, vpc = { subnet_ids = ["subnet-0d"], security_group_ids = ["sg-0d"] } }
    }
  }

  assert {
    condition = { for key, settings in local.settings : key => settings.vpc.subnet_ids[0] } == {
      enrich = "subnet-0b", direct = "subnet-0c", cms = "subnet-0a", ingest = "subnet-0d"
    }
    error_message = "A destination in another network is reached from there alone."
  }
}

run "alarms_can_be_left_out" {
  command = plan

  variables {
    settings = {
      bucket  = { name = "kit", arn = "arn:aws:s3:::kit" }
      package = { s3_bucket = "packages", s3_key = "media_events.zip" }
      alarms  = { enabled = false }
    }
  }

  assert {
    condition     = output.alarm_names == { critical = {}, warning = {} }
    error_message = "Whoever watches otherwise pays for no alarm."
  }
}

run "a_router_of_direct_routes_has_no_function_table_or_bucket" {
  command = plan

  variables {
    settings   = { package = { s3_bucket = "packages", s3_key = "media_events.zip" } }
    transforms = {}
    routes = {
      ordered = {
        pattern = jsonencode({ source = ["partner.qc"] })
        target = { sqs = {
          queue_arn = "arn:aws:sqs:eu-west-1:123456789012:qc"
          queue_url = "https://sqs.eu-west-1.amazonaws.com/123456789012/qc"
        } }
      }
    }
  }

  assert {
    condition     = length(aws_dynamodb_table.idempotency) == 0 && length(module.bucket) == 0 && alltrue([for hop in module.hop : hop.function_name == null]) && output.idempotency_tables == {}
    error_message = "A resource that nobody uses must not be made."
  }
}

################################################################################
# Many to one, one to many
################################################################################

# proves: routes: any number of targets
run "any_number_of_targets_for_one_pattern_and_of_routes_to_one_target" {
  command = plan

  variables {
    transforms = {}
    routes = merge(
      { for i in range(7) : "to-${i}" => { pattern = jsonencode({ detail-type = ["asset.ready"] }), target = { http = { url = "https://cms${i}.example.com/" } } } },
      { for i in range(7) : "cms-${i}" => { pattern = jsonencode({ detail-type = ["asset.${i}"] }), destination = "cms", target = { http = { url = "https://cms.example.com/" } } } },
      { for i in range(7) : "lake-${i}" => {
        pattern = jsonencode({ detail-type = ["asset.${i}"] })
        target  = { sqs = { queue_arn = "arn:aws:sqs:eu-west-1:123456789012:lake", queue_url = "https://sqs.eu-west-1.amazonaws.com/123456789012/lake" } }
      } },
    )
  }

  assert {
    condition = (
      length(distinct([for rule in values(aws_cloudwatch_event_rule.this) : rule.name])) == 21
      && sort([for target in values(aws_cloudwatch_event_target.this) : target.rule]) == sort([for rule in values(aws_cloudwatch_event_rule.this) : rule.name])
    )
    error_message = "A rule takes five targets: each route has a rule of its own, with one target."
  }

  assert {
    condition = (
      length(distinct(compact(concat(values(module.hop)[*].queue_name, values(module.hop)[*].dlq_name)))) == 14 + 21
      && length(distinct(compact(values(module.hop)[*].function_name))) == 14
    )
    error_message = "No two resources share a name."
  }

  assert {
    condition     = toset([for key, document in local.destination_documents : document.name if startswith(key, "cms-")]) == toset(["cms"])
    error_message = "Routes to one destination are one to the idempotency store."
  }

  assert {
    condition     = length(distinct(values(output.sqs_target_policies))) == 1
    error_message = "A shared queue has one policy, which lets in the rules of all its routes."
  }
}
