################################################################################
# What the deliver function is told of its target, and what it may do there
################################################################################

locals {
  queue_arns = { for key in keys(local.routes_by_function) : key => "arn:${local.partition}:sqs:${local.region}:${local.account_id}:${var.name}-${key}" }

  # Attributes that are not set are left out: the function knows the defaults.
  destination_documents = { for key, route in local.routes_by_function : key => merge(
    { name = local.function_destinations[key] },
    { for name, value in { circuit_breaker = route.circuit_breaker, ordering = route.ordering, strict = route.strict } : name => value if value != null },
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
      auth = { for name, value in route.target.http.auth : name => value if value != null && name != "kms_key" }
    },
    try(route.target.http.tls, null) == null ? {} : {
      tls = { for name, value in route.target.http.tls : name => value if value != null && name != "kms_key" }
    },
    try({ type = "step-functions", state_machine_arn = route.target.step_functions.state_machine_arn }, {}),
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
      type                 = "task-callback"
      task_callbacks_table = route.target.task_callback.task_callbacks_table.name
      correlation_key      = route.target.task_callback.correlation_key
      success_when         = route.target.task_callback.success_when
      failure_when         = route.target.task_callback.failure_when
      error                = route.target.task_callback.error
      early_seconds        = route.target.task_callback.early_seconds
    } : name => value if value != null }, {}),
  ) }

  # Keys that the function needs besides the module's own: of a secret, or of what it sends to.
  service_suffix = local.partition == "aws-cn" ? "amazonaws.com.cn" : "amazonaws.com"

  target_keys = { for key, route in local.routes_by_function : key => {
    for service, keys in {
      secretsmanager = flatten([for http in route.target.http[*] : [for secrets in concat(http.auth[*], http.tls[*]) : secrets.kms_key[*].arn]])
      sqs            = flatten([for sqs in route.target.sqs[*] : sqs.kms_key[*].arn])
      sns            = flatten([for sns in route.target.sns[*] : sns.kms_key[*].arn])
      dynamodb       = flatten([for callback in route.target.task_callback[*] : callback.kms_key[*].arn])
    } : service => distinct(keys) if length(keys) > 0
  } }

  target_secrets = { for key, route in local.routes_by_function : key => distinct(flatten([for http in route.target.http[*] : concat(
    http.auth[*].secret_arn,
    [for tls in http.tls[*] : [for arn in [tls.ca_secret_arn, tls.client_certificate_secret_arn] : arn if arn != null]],
  )])) }

  target_statements = { for key, route in local.routes_by_function : key => merge(
    { for http in route.target.http[*] : "Secret" => {
      actions = ["secretsmanager:GetSecretValue"], resources = local.target_secrets[key], conditions = []
    } if length(local.target_secrets[key]) > 0 },
    route.target.step_functions == null ? {} : {
      StartExecution = { actions = ["states:StartExecution"], resources = [route.target.step_functions.state_machine_arn], conditions = [] }
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
    route.target.task_callback == null ? {} : {
      TaskCallbacks = {
        actions    = ["dynamodb:DeleteItem", "dynamodb:PutItem", "dynamodb:Query"]
        resources  = [route.target.task_callback.task_callbacks_table.arn]
        conditions = []
      }
      # These actions know no resource-level permission: who has a task's token may answer that task.
      AnswerTasks = {
        actions    = ["states:SendTaskFailure", "states:SendTaskSuccess"]
        resources  = ["*"]
        conditions = []
      }
    },
    { for service, arns in local.target_keys[key] : "UseKeyOf${title(service)}" => {
      actions   = service == "secretsmanager" ? ["kms:Decrypt"] : ["kms:Decrypt", "kms:GenerateDataKey"]
      resources = arns
      conditions = [{
        test     = "StringEquals"
        variable = "kms:ViaService"
        values   = distinct([for arn in arns : "${service}.${split(":", arn)[3]}.${local.service_suffix}"])
      }]
    } },
  ) }
}
