# What a transform's steps ask for: permissions, read from the steps themselves, and the layer with their Python modules.

locals {
  steps = { for key, transform in local.transforms : key => try(jsondecode(transform.steps), []) }

  service_domain = local.partition == "aws-cn" ? "amazonaws.com.cn" : "amazonaws.com"

  step_secrets = { for key, steps in local.steps : key => [for step in steps : distinct(concat(
    try([step.lookup.http.auth.secret_arn], []),
    [for name in ["ca_secret_arn", "client_certificate_secret_arn"] : step.lookup.http.tls[name] if try(step.lookup.http.tls[name], null) != null],
  ))] }

  # One per thing that a step asks for, with the services by which alone a key may be used.
  step_grants = { for key, steps in local.steps : key => flatten([for index, step in steps : concat(
    [for table in try([step.lookup.dynamodb], []) : {
      sid = "Step${index}Table", actions = ["dynamodb:GetItem"], resources = [try(table.table_arn, "")], via = []
    }],
    [for object in try([step.lookup.s3], []) : {
      sid       = "Step${index}Object"
      actions   = ["s3:GetObject"]
      resources = ["arn:${local.partition}:s3:::${try(object.bucket, "")}/${try(coalesce(object.prefix), "")}*"]
      via       = []
    }],
    # Without it S3 says of an object that isn't there that one may not read it.
    [for object in try([step.lookup.s3], []) : {
      sid       = "Step${index}Absence"
      actions   = ["s3:ListBucket"]
      resources = ["arn:${local.partition}:s3:::${try(object.bucket, "")}"]
      via       = []
      prefixes  = ["${try(coalesce(object.prefix), "")}*"]
    }],
    [for arns in [local.step_secrets[key][index]] : {
      sid = "Step${index}Secret", actions = ["secretsmanager:GetSecretValue"], resources = arns, via = []
    } if length(arns) > 0],
    [for arn in try([step.call.function_arn], []) : {
      sid = "Step${index}Function", actions = ["lambda:InvokeFunction"], resources = [arn], via = []
    }],
    [for service, arns in {
      dynamodb       = try([step.lookup.dynamodb.kms_key.arn], [])
      s3             = try([step.lookup.s3.kms_key.arn], [])
      secretsmanager = concat(try([step.lookup.http.auth.kms_key.arn], []), try([step.lookup.http.tls.kms_key.arn], []))
      } : {
      sid = "Step${index}Key", actions = ["kms:Decrypt"], resources = distinct(arns), via = ["${service}.${local.region}.${local.service_domain}"]
    } if length(arns) > 0],
  )]) }

  step_statements = { for key, grants in local.step_grants : key => {
    for grant in grants : grant.sid => {
      actions   = grant.actions
      resources = grant.resources
      conditions = concat(
        [for service in grant.via : { test = "StringEquals", variable = "kms:ViaService", values = [service] }],
        [for prefix in try(grant.prefixes, []) : { test = "StringLike", variable = "s3:prefix", values = [prefix] }],
      )
    }
  } }
}

resource "aws_lambda_layer_version" "package" {
  for_each = { for key, transform in local.transforms : key => transform.package if transform.package != null }

  layer_name          = local.rule_names[each.key]
  description         = "Python modules of ${local.hops[each.key].hop}"
  filename            = each.value
  source_code_hash    = fileexists(each.value) ? filebase64sha256(each.value) : null
  compatible_runtimes = ["python3.13"]
}
