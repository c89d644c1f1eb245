################################################################################
# What the deliver function is told of its target, and what it may do there
################################################################################

locals {
  queue_arns = { for key in keys(local.routes_by_function) : key => "arn:${local.partition}:sqs:${local.region}:${local.account_id}:${var.name}-${key}" }

  # Attributes that are not set are left out: the function knows the defaults.
  destination_documents = { for key, route in local.routes_by_function : key => merge(
    { name = local.destinations[key] },
    { for name, value in { breaker = route.breaker, ordering = route.ordering, strict = route.strict } : name => value if value != null },
    try({
      type                  = "http"
      url                   = route.target.http.url
      mode                  = route.target.http.mode
      headers               = route.target.http.headers
      timeout_seconds       = route.target.http.timeout_seconds
      allowed_private_cidrs = route.target.http.allowed_private_cidrs
      allow_http            = route.target.http.allow_http
    }, {}),
    try(route.target.http.auth, null) == null ? {} : {
      auth = { for name, value in route.target.http.auth : name => value if value != null && name != "kms_key_arn" }
    },
    try({ type = "step-functions", state_machine_arn = route.target.states.state_machine_arn }, {}),
    try({ type = "sqs", queue_arn = route.target.sqs.queue_arn, queue_url = route.target.sqs.queue_url, mode = route.target.sqs.mode }, {}),
    try({ type = "sns", topic_arn = route.target.sns.topic_arn, mode = route.target.sns.mode }, {}),
    try({ type = "event-bus", bus_arn = route.target.event_bus.bus_arn }, {}),
    try({
      type            = "lambda"
      function_arn    = route.target.lambda.function_arn
      invocation      = route.target.lambda.invocation
      mode            = route.target.lambda.mode
      timeout_seconds = route.target.lambda.timeout_seconds
    }, {}),
    try({ type = "firehose", stream_arn = route.target.firehose.stream_arn }, {}),
    try({ for name, value in {
      type            = "task-callback"
      task_callbacks_table     = route.target.resume.waits_table_name
      correlation_key = route.target.resume.correlation_key
      success_when    = route.target.resume.success_when
      failure_when    = route.target.resume.failure_when
      error           = route.target.resume.error
      early_seconds   = route.target.resume.early_seconds
    } : name => value if value != null }, {}),
  ) }

  # Keys that the function needs besides the module's own: of a secret, or of what it sends to.
  service_suffix = local.partition == "aws-cn" ? "amazonaws.com.cn" : "amazonaws.com"

  target_keys = { for key, route in local.routes_by_function : key => {
    secretsmanager = try(route.target.http.auth.kms_key_arn, null)
    sqs            = try(route.target.sqs.kms_key_arn, null)
    sns            = try(route.target.sns.kms_key_arn, null)
    dynamodb       = try(route.target.resume.kms_key_arn, null)
  } }

  target_statements = { for key, route in local.routes_by_function : key => merge(
    try(route.target.http.auth, null) == null ? {} : {
      Secret = { actions = ["secretsmanager:GetSecretValue"], resources = [route.target.http.auth.secret_arn], conditions = [] }
    },
    route.target.states == null ? {} : {
      StartExecution = { actions = ["states:StartExecution"], resources = [route.target.states.state_machine_arn], conditions = [] }
    },
    route.target.sqs == null ? {} : {
      SendToQueue = { actions = ["sqs:SendMessage"], resources = [route.target.sqs.queue_arn], conditions = [] }
    },
    route.target.sns == null ? {} : {
      PublishToTopic = { actions = ["sns:Publish"], resources = [route.target.sns.topic_arn], conditions = [] }
    },
    route.target.event_bus == null ? {} : {
      PutOnBus = { actions = ["events:PutEvents"], resources = [route.target.event_bus.bus_arn], conditions = [] }
    },
    route.target.lambda == null ? {} : {
      InvokeTarget = { actions = ["lambda:InvokeFunction"], resources = [route.target.lambda.function_arn], conditions = [] }
    },
    route.target.firehose == null ? {} : {
      WriteToStream = { actions = ["firehose:PutRecordBatch"], resources = [route.target.firehose.stream_arn], conditions = [] }
    },
    route.target.resume == null ? {} : {
      Waits = {
        actions    = ["dynamodb:DeleteItem", "dynamodb:PutItem", "dynamodb:Query"]
        resources  = [route.target.resume.waits_table_arn]
        conditions = []
      }
      # These actions know no resource-level permission: who has a task's token may answer that task.
      AnswerTasks = {
        actions    = ["states:SendTaskFailure", "states:SendTaskSuccess"]
        resources  = ["*"]
        conditions = []
      }
    },
    { for service, arn in local.target_keys[key] : "UseKeyOf${title(service)}" => {
      actions   = service == "secretsmanager" ? ["kms:Decrypt"] : ["kms:Decrypt", "kms:GenerateDataKey"]
      resources = [arn]
      conditions = [{
        test     = "StringEquals"
        variable = "kms:ViaService"
        values   = ["${service}.${split(":", arn)[3]}.${local.service_suffix}"]
      }]
    } if arn != null },
  ) }
}
