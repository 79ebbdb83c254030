-- Health of an ImportRun by its condition Succeeded, which is Unknown until the run has
-- ended. Never Suspended: a sync would wait for ever on a hook that is suspended.
local outcomes = { True = "Healthy", False = "Degraded" }

for _, condition in ipairs((obj.status or {}).conditions or {}) do
  if condition.type == "Succeeded" then
    return { status = outcomes[condition.status] or "Progressing", message = condition.message or "" }
  end
end
return { status = "Progressing", message = "Waiting for the operator" }
