# Plans with the real provider and without AWS: the policies are those that AWS would get.

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
  hop      = "route/cms"
  name     = "media-test-cms"
  handler  = "media_events.handlers.deliver.handler"
  settings = { package = { s3_bucket = "packages", s3_key = "media_events.zip", source_code_hash = "abc=" } }
}

override_resource {
  target          = aws_cloudwatch_log_group.this
  override_during = plan
  values = {
    arn = "arn:aws:logs:eu-west-1:123456789012:log-group:/aws/lambda/media-test-cms"
  }
}

run "a_function_without_further_statements_may_write_its_own_log_and_nothing_else" {
  command = plan

  assert {
    condition = jsondecode(aws_iam_role_policy.this[0].policy).Statement == [{
      Sid      = "WriteLog"
      Effect   = "Allow"
      Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
      Resource = ["arn:aws:logs:eu-west-1:123456789012:log-group:/aws/lambda/media-test-cms:*"]
    }]
    error_message = "The role must be able to write the function's log, and nothing more."
  }

  assert {
    condition     = jsondecode(aws_iam_role.this[0].assume_role_policy).Statement[0].Principal == { Service = "lambda.amazonaws.com" }
    error_message = "Only Lambda may assume the role."
  }

  assert {
    condition     = aws_cloudwatch_log_group.this[0].retention_in_days == 30
    error_message = "Logs must not be kept for ever by default."
  }

  assert {
    condition     = length(aws_s3_object.configuration) == 0 && !contains(keys(aws_lambda_function.this.environment[0].variables), "CONFIGURATION_URI")
    error_message = "Without a configuration there is no document."
  }

  assert {
    condition = aws_lambda_function.this.environment[0].variables == tomap({
      POWERTOOLS_SERVICE_NAME      = "media-test-cms"
      POWERTOOLS_METRICS_NAMESPACE = "MediaEvents"
      POWERTOOLS_LOG_LEVEL         = "INFO"
    })
    error_message = "The environment must tell the service's name, metrics namespace and log level."
  }
}

run "configuration_is_stored_under_its_digest_and_only_its_function_may_read_it" {
  command = plan

  variables {
    configuration = jsonencode({ destination = { name = "cms" } })
    settings      = { package = { s3_bucket = "packages", s3_key = "media_events.zip", source_code_hash = "abc=" }, bucket = { name = "media", arn = "arn:aws:s3:::media" } }
  }

  assert {
    condition     = aws_s3_object.configuration[0].key == "configuration/media-test-cms/${sha256(var.configuration)}.json" && aws_s3_object.configuration[0].content == var.configuration
    error_message = "The key must be made of the content's digest."
  }

  assert {
    condition     = aws_lambda_function.this.environment[0].variables.CONFIGURATION_URI == "s3://media/configuration/media-test-cms/${sha256(var.configuration)}.json" && aws_lambda_function.this.environment[0].variables.CONFIGURATION_SHA256 == sha256(var.configuration)
    error_message = "The function must be told where its configuration is, and its digest."
  }

  assert {
    condition     = aws_lambda_function.this.environment[0].variables.CONFIGURATION == base64gzip(var.configuration)
    error_message = "A cold start must not need S3 for a small configuration."
  }

  assert {
    condition     = [for s in jsondecode(aws_iam_role_policy.this[0].policy).Statement : s.Resource if s.Sid == "ReadConfiguration"] == [["arn:aws:s3:::media/configuration/media-test-cms/*"]]
    error_message = "The function may read its own configurations, the one being rolled out and the one before it, and no other's."
  }
}

run "a_small_configuration_is_in_the_environment_too_and_a_large_one_is_not" {
  command = plan

  variables {
    # Digests don't compress: their base64 has four thirds of their bytes.
    configuration = jsonencode([for number in range(40) : sha512(tostring(number))])
    settings      = { package = { s3_bucket = "packages", s3_key = "media_events.zip", source_code_hash = "abc=" }, bucket = { name = "media", arn = "arn:aws:s3:::media" } }
  }

  assert {
    condition     = length(base64gzip(var.configuration)) > 2048 && aws_lambda_function.this.environment[0].variables.CONFIGURATION == ""
    error_message = "Lambda takes 4 KB of variables."
  }
}

run "the_configuration_has_no_tags_however_many_everything_else_has" {
  command = plan

  variables {
    configuration = jsonencode({ destination = "cms" })
    settings = {
      bucket  = { name = "kit", arn = "arn:aws:s3:::kit" }
      package = { s3_bucket = "packages", s3_key = "media_events.zip" }
      tags    = { for number in range(40) : "tag-${number}" => "any" }
    }
  }

  assert {
    condition = (
      length(aws_lambda_function.this.tags) == 41
      && aws_lambda_function.this.tags["media-events-version"] == local.version && can(regex("^[0-9]+\\.[0-9]+\\.[0-9]+$", local.version))
      && aws_s3_object.configuration[0].tags == null && length(aws_s3_object.configuration[0].override_provider[0].default_tags) == 1
    )
    error_message = "S3 refuses an object with more than ten tags; other resources take fifty. A function also has the version that made it."
  }
}

run "a_policy_longer_than_iam_takes_is_refused_with_its_length" {
  command = plan

  variables {
    policy_statements = { SendToQueues = {
      actions   = ["sqs:SendMessage"]
      resources = [for number in range(200) : "arn:aws:sqs:eu-west-1:123456789012:media-test-queue-${number}"]
    } }
  }

  expect_failures = [aws_iam_role_policy.this]
}

run "a_description_longer_than_lambda_takes_is_refused" {
  command = plan

  variables {
    description = join(", ", [for number in range(30) : "partner-${number}"])
  }

  expect_failures = [var.description]
}

run "lambda_ends_loops_unless_told_otherwise" {
  command = plan

  assert {
    condition     = length(aws_lambda_function_recursion_config.this) == 0
    error_message = "Lambda's own default, Terminate, needs no setting."
  }
}

run "a_function_in_a_loop_of_ours_goes_on" {
  command = plan

  variables {
    recursive_loop = "Allow"
  }

  assert {
    condition     = aws_lambda_function_recursion_config.this[0].recursive_loop == "Allow" && aws_lambda_function_recursion_config.this[0].function_name == "media-test-cms"
    error_message = "Lambda would stop the function after some 16 rounds."
  }
}

run "statements_become_policy_with_their_conditions" {
  command = plan

  variables {
    settings = { package = { s3_bucket = "packages", s3_key = "media_events.zip", source_code_hash = "abc=" }, kms_key = { arn = "arn:aws:kms:eu-west-1:123456789012:key/1" } }
    policy_statements = {
      Publish = {
        actions   = ["events:PutEvents"]
        resources = ["arn:aws:events:eu-west-1:123456789012:event-bus/media"]
        conditions = [
          { test = "StringEquals", variable = "events:source", values = ["partner.mux"] },
          { test = "StringEquals", variable = "events:detail-type", values = ["asset.ready"] },
        ]
      }
    }
  }

  assert {
    condition = [for s in jsondecode(aws_iam_role_policy.this[0].policy).Statement : s if s.Sid == "Publish"] == [{
      Sid       = "Publish"
      Effect    = "Allow"
      Action    = ["events:PutEvents"]
      Resource  = ["arn:aws:events:eu-west-1:123456789012:event-bus/media"]
      Condition = { StringEquals = { "events:source" = ["partner.mux"], "events:detail-type" = ["asset.ready"] } }
    }]
    error_message = "Conditions of the same test must end up together."
  }

  assert {
    condition     = [for s in jsondecode(aws_iam_role_policy.this[0].policy).Statement : s.Resource if s.Sid == "UseKey"] == [["arn:aws:kms:eu-west-1:123456789012:key/1"]]
    error_message = "With a key of one's own the role must be able to use it."
  }
}

run "every_alarm_notifies_by_its_severity" {
  command = plan

  variables {
    function = { timeout_seconds = 20 }
    settings = { package = { s3_bucket = "packages", s3_key = "media_events.zip", source_code_hash = "abc=" }, alarms = { actions = { critical = ["arn:aws:sns:eu-west-1:123456789012:critical"], warning = ["arn:aws:sns:eu-west-1:123456789012:warning"] } } }
  }

  assert {
    condition     = module.alarms.alarms["errors"].actions["ALARM"] == toset(var.settings.alarms.actions.critical) && output.alarm_names == { critical = { "route/cms/errors" = "${var.name}-errors" }, warning = {} }
    error_message = "A crash must notify those who are needed at once."
  }
}

run "a_package_in_s3_needs_no_file" {
  command = plan

  assert {
    condition     = aws_lambda_function.this.filename == null && aws_lambda_function.this.s3_key == "media_events.zip" && aws_lambda_function.this.source_code_hash == "abc="
    error_message = "A package in S3 must be taken from there."
  }
}

run "a_package_on_disk_is_hashed" {
  command = plan

  variables {
    settings = { package = { filename = "versions.tf" } }
  }

  assert {
    condition     = aws_lambda_function.this.source_code_hash == filebase64sha256("versions.tf")
    error_message = "Without the hash a new zip would go unnoticed."
  }
}

run "a_package_that_is_not_there_is_refused" {
  command = plan

  variables {
    settings = { package = { filename = "there/is/no.zip" } }
  }

  expect_failures = [aws_lambda_function.this]
}

run "a_package_in_two_places_is_refused" {
  command = plan

  variables {
    settings = { package = { filename = "versions.tf", s3_bucket = "packages", s3_key = "media_events.zip" } }
  }

  expect_failures = [var.settings]
}

run "an_s3_package_without_key_is_refused" {
  command = plan

  variables {
    settings = { package = { s3_bucket = "packages" } }
  }

  expect_failures = [var.settings]
}

run "t3_wildcard_actions_are_refused" {
  command = plan

  variables {
    policy_statements = { Everything = { actions = ["sqs:*"], resources = ["arn:aws:sqs:eu-west-1:123456789012:q"] } }
  }

  expect_failures = [var.policy_statements]
}

run "configuration_without_bucket_is_refused" {
  command = plan

  variables {
    configuration = "{}"
  }

  # The object would be refused too, but with an error of Terraform's own.
  expect_failures = [var.configuration]
}

run "a_configuration_that_is_no_json_is_refused" {
  command = plan

  variables {
    configuration = "{steps: []"
    settings      = { package = { s3_bucket = "packages", s3_key = "media_events.zip", source_code_hash = "abc=" }, bucket = { name = "media", arn = "arn:aws:s3:::media" } }
  }

  expect_failures = [var.configuration]
}

run "reserved_environment_variables_are_refused" {
  command = plan

  variables {
    environment = { AWS_REGION = "eu-west-1" }
  }

  expect_failures = [var.environment]
}

run "a_retention_that_cloudwatch_does_not_know_is_refused" {
  command = plan

  variables {
    settings = { logs = { retention_days = 45 } }
  }

  expect_failures = [var.settings]
}

run "an_alias_is_no_key" {
  command = plan

  variables {
    settings = { kms_key = { arn = "arn:aws:kms:eu-west-1:123456789012:alias/aws/sqs" } }
  }

  expect_failures = [var.settings]
}

run "without_alarms_there_is_none" {
  command = plan

  variables {
    settings = { package = { s3_bucket = "packages", s3_key = "media_events.zip", source_code_hash = "abc=" }, alarms = { enabled = false } }
  }

  assert {
    condition     = output.alarm_names == { critical = {}, warning = {} }
    error_message = "Whoever has alarms of their own must be able to do without these."
  }
}

run "logs_may_be_kept_for_ever_and_cheaply" {
  command = plan

  variables {
    settings = { package = { s3_bucket = "packages", s3_key = "media_events.zip", source_code_hash = "abc=" }, logs = { retention_days = 0, class = "INFREQUENT_ACCESS" } }
  }

  assert {
    condition     = aws_cloudwatch_log_group.this[0].retention_in_days == 0 && aws_cloudwatch_log_group.this[0].log_group_class == "INFREQUENT_ACCESS"
    error_message = "0 is CloudWatch's word for ever."
  }
}

run "a_log_class_that_does_not_exist_is_refused" {
  command = plan

  variables {
    settings = { logs = { class = "GLACIER" } }
  }

  expect_failures = [var.settings]
}

run "a_function_is_as_large_as_asked_for" {
  command = plan

  variables {
    function = { memory_mb = 1024, reserved_concurrency = 3, runtime = "python3.12", architecture = "x86_64", log_level = "DEBUG" }
  }

  assert {
    condition = (
      aws_lambda_function.this.memory_size == 1024 && aws_lambda_function.this.reserved_concurrent_executions == 3
      && aws_lambda_function.this.runtime == "python3.12" && aws_lambda_function.this.architectures == tolist(["x86_64"])
      && aws_lambda_function.this.environment[0].variables["POWERTOOLS_LOG_LEVEL"] == "DEBUG"
    )
    error_message = "The function must be as the user wants it."
  }
}

run "a_deployment_that_traces_has_functions_that_send_segments" {
  command = plan

  variables {
    settings = { package = { s3_bucket = "packages", s3_key = "media_events.zip" }, tracing = "Active" }
  }

  assert {
    condition     = aws_lambda_function.this.tracing_config[0].mode == "Active" && aws_lambda_function.this.environment[0].variables["TRACING"] == "Active"
    error_message = "X-Ray must sample the invocations, and the code send a segment for each event."
  }

  assert {
    condition     = [for s in jsondecode(aws_iam_role_policy.this[0].policy).Statement : s.Action if s.Sid == "WriteTraces"] == [["xray:PutTelemetryRecords", "xray:PutTraceSegments"]]
    error_message = "Without the permission no trace arrives."
  }
}

run "a_function_of_a_deployment_that_traces_may_stay_out" {
  command = plan

  variables {
    settings = { package = { s3_bucket = "packages", s3_key = "media_events.zip" }, tracing = "Active" }
    function = { tracing = "PassThrough" }
  }

  assert {
    condition     = aws_lambda_function.this.tracing_config[0].mode == "PassThrough" && !contains(keys(aws_lambda_function.this.environment[0].variables), "TRACING")
    error_message = "The function must send nothing of its own."
  }

  assert {
    condition     = [for s in jsondecode(aws_iam_role_policy.this[0].policy).Statement : s if s.Sid == "WriteTraces"] == []
    error_message = "What sends no traces needs no permission."
  }
}

run "a_tracing_mode_that_aws_does_not_know_is_refused" {
  command = plan

  variables {
    settings = { tracing = "Always" }
  }

  expect_failures = [var.settings]
}

run "sizes_that_lambda_refuses_are_refused" {
  command = plan

  variables {
    function = { memory_mb = 64, timeout_seconds = 901, runtime = "python3.9", architecture = "mips", log_level = "LOUD", tracing = "Always" }
  }

  expect_failures = [var.function]
}

run "a_role_has_its_path" {
  command = plan

  variables {
    settings = { package = { s3_bucket = "packages", s3_key = "media_events.zip" }, role_path = "/media/" }
  }

  assert {
    condition     = aws_iam_role.this[0].path == "/media/"
    error_message = "Where roles need a path, no other is let through."
  }
}

run "a_path_without_slashes_is_refused" {
  command = plan

  variables {
    settings = { role_path = "media" }
  }

  expect_failures = [var.settings]
}

run "a_function_in_a_vpc_may_connect_to_it_but_its_code_may_not" {
  command = plan

  override_resource {
    target          = aws_iam_role.this
    override_during = plan
    values          = { arn = "arn:aws:iam::123456789012:role/media-test-cms" }
  }

  variables {
    settings = {
      package = { s3_bucket = "packages", s3_key = "media_events.zip" }
      vpc     = { subnet_ids = ["subnet-1", "subnet-2"], security_group_ids = ["sg-1"] }
    }
  }

  assert {
    condition     = aws_lambda_function.this.vpc_config[0].subnet_ids == toset(["subnet-1", "subnet-2"]) && aws_lambda_function.this.vpc_config[0].security_group_ids == toset(["sg-1"])
    error_message = "The function must be in the subnets, with the security groups."
  }

  assert {
    condition = jsonencode([for s in jsondecode(aws_iam_role_policy.this[0].policy).Statement : s if contains(["ConnectToVpc", "KeepNetworkInterfacesFromCode"], s.Sid)]) == jsonencode([
      {
        Action   = ["ec2:AssignPrivateIpAddresses", "ec2:CreateNetworkInterface", "ec2:DeleteNetworkInterface", "ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets", "ec2:UnassignPrivateIpAddresses"]
        Effect   = "Allow"
        Resource = ["*"]
        Sid      = "ConnectToVpc"
      },
      {
        Action    = ["ec2:AssignPrivateIpAddresses", "ec2:CreateNetworkInterface", "ec2:DeleteNetworkInterface", "ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets", "ec2:UnassignPrivateIpAddresses", "ec2:DetachNetworkInterface"]
        Condition = { ArnEquals = { "lambda:SourceFunctionArn" = ["arn:aws:lambda:eu-west-1:123456789012:function:media-test-cms"] } }
        Effect    = "Deny"
        Resource  = ["*"]
        Sid       = "KeepNetworkInterfacesFromCode"
      },
    ])
    error_message = "Lambda needs these permissions to connect the function, and the function's code none of them."
  }
}

run "a_function_outside_of_a_vpc_may_touch_no_network_interface" {
  command = plan

  assert {
    condition     = length(aws_lambda_function.this.vpc_config) == 0 && !strcontains(aws_iam_role_policy.this[0].policy, "ec2:")
    error_message = "Without a VPC the role needs no permission for one."
  }
}

run "a_vpc_without_security_group_is_refused" {
  command = plan

  variables {
    settings = { vpc = { subnet_ids = ["subnet-1"], security_group_ids = [] } }
  }

  expect_failures = [var.settings]
}

run "a_role_and_a_log_group_of_the_users_are_taken_as_they_are" {
  command = plan

  variables {
    settings = { package = { s3_bucket = "packages", s3_key = "media_events.zip" }, role_path = "/media/" }
    function = {
      role      = { arn = "arn:aws:iam::123456789012:role/teams/media/cms" }
      log_group = { arn = "arn:aws:logs:eu-west-1:123456789012:log-group:/teams/media:*" }
    }
  }

  assert {
    condition     = length(aws_iam_role.this) + length(aws_iam_role_policy.this) + length(aws_iam_policy.this) + length(aws_cloudwatch_log_group.this) == 0
    error_message = "There is a role, a policy or a log group besides the user's."
  }

  assert {
    condition     = aws_lambda_function.this.role == "arn:aws:iam::123456789012:role/teams/media/cms" && aws_lambda_function.this.logging_config[0].log_group == "/teams/media"
    error_message = "The function has another role or log group."
  }

  assert {
    condition     = output.role_name == "cms" && jsondecode(output.policy).Statement[0].Resource == ["arn:aws:logs:eu-west-1:123456789012:log-group:/teams/media:*"]
    error_message = "${output.role_name}: ${output.policy}"
  }
}

run "a_role_by_its_name_is_refused" {
  command = plan

  variables {
    function = { role = { arn = "cms" } }
  }

  expect_failures = [var.function]
}

run "a_role_name_that_iam_would_refuse_is_refused" {
  command = plan

  variables {
    name     = "media-test-with-a-very-long-name-that-is-nearly-as-long-as-it-ca"
    settings = { package = { s3_bucket = "packages", s3_key = "media_events.zip" }, role_name_prefix = "team-" }
  }

  expect_failures = [aws_iam_role.this]
}

run "a_policy_that_is_too_long_for_a_managed_one_is_refused" {
  command = plan

  variables {
    settings          = { package = { s3_bucket = "packages", s3_key = "media_events.zip" }, role_policies = "managed" }
    policy_statements = { Invoke = { actions = ["lambda:InvokeFunction"], resources = [for n in range(90) : "arn:aws:lambda:eu-west-1:123456789012:function:a-function-with-a-long-name-${n}"] } }
  }

  override_resource {
    target          = aws_cloudwatch_log_group.this
    override_during = plan
    values          = { arn = "arn:aws:logs:eu-west-1:123456789012:log-group:/aws/lambda/media-test" }
  }

  expect_failures = [aws_iam_policy.this]
}

run "snap_start_is_off_unless_asked_for" {
  command = plan

  assert {
    condition = (
      !aws_lambda_function.this.publish && length(aws_lambda_function.this.snap_start) == 0
      && length(aws_lambda_alias.live) == 0 && output.invocation.qualifier == null
    )
    error_message = "Each published version and its snapshot cost something."
  }
}

run "with_snap_start_an_alias_follows_the_newest_version" {
  command = plan

  variables {
    function = { snap_start = true }
    settings = { package = { s3_bucket = "packages", s3_key = "media_events.zip" }, vpc = { subnet_ids = ["subnet-0"], security_group_ids = ["sg-0"] } }
  }

  override_resource {
    target          = aws_lambda_function.this
    override_during = plan
    values          = { version = "7" }
  }

  override_resource {
    target          = aws_iam_role.this
    override_during = plan
    values          = { arn = "arn:aws:iam::123456789012:role/media-test-cms" }
  }

  assert {
    condition     = aws_lambda_function.this.publish && aws_lambda_function.this.snap_start[0].apply_on == "PublishedVersions"
    error_message = "SnapStart is for published versions alone."
  }

  assert {
    condition     = aws_lambda_alias.live[0].function_version == "7" && output.invocation.qualifier == "live"
    error_message = "The alias must have the version that was published last."
  }

  assert {
    condition = [for statement in jsondecode(output.policy).Statement : statement.Condition.ArnEquals["lambda:SourceFunctionArn"] if statement.Sid == "KeepNetworkInterfacesFromCode"] == [[
      "arn:aws:lambda:eu-west-1:123456789012:function:media-test-cms",
      "arn:aws:lambda:eu-west-1:123456789012:function:media-test-cms:*",
    ]]
    error_message = "The denial must hold for the code of the alias as well."
  }
}

run "snap_start_of_a_python_that_has_none_is_refused" {
  command = plan

  variables {
    function = { snap_start = true, runtime = "python3.11" }
  }

  expect_failures = [var.function]
}
