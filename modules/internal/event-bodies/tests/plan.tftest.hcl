variables {
  bucket = { name = "kit", arn = "arn:aws:s3:::kit" }
}

run "a_function_may_read_store_and_miss_bodies_and_list_nothing_else" {
  command = plan

  assert {
    condition = jsonencode(output.policy_statements) == jsonencode({
      EventBodies     = { actions = ["s3:GetObject", "s3:PutObject"], conditions = [], resources = ["arn:aws:s3:::kit/bodies/events/*"] }
      FindEventBodies = { actions = ["s3:ListBucket"], conditions = [{ test = "StringLike", values = ["bodies/events/*"], variable = "s3:prefix" }], resources = ["arn:aws:s3:::kit"] }
    }) && output.uri == "s3://kit/bodies/events/"
    error_message = "Bodies may be read, stored, and found missing, under their prefix alone."
  }
}

run "a_reader_stores_nothing" {
  command = plan

  variables {
    store  = false
    prefix = "bodies/review/"
  }

  assert {
    condition = (
      jsonencode(output.policy_statements["EventBodies"].actions) == jsonencode(["s3:GetObject"])
      && jsonencode(output.policy_statements["FindEventBodies"].conditions[0].values) == jsonencode(["bodies/review/*"])
    )
    error_message = "A reader may not store."
  }
}

run "without_a_bucket_there_is_nothing_to_allow" {
  command = plan

  variables {
    bucket = null
  }

  assert {
    condition     = output.policy_statements == {} && output.uri == null
    error_message = "No bucket, no permission."
  }
}
