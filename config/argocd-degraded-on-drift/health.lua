-- Health of an Import as in config/argocd, but for one line: drift that is only
-- reported is Degraded. A sync of several waves stops at such an Import.
local status = obj.status or {}

if status.observedGeneration ~= obj.metadata.generation then
  return {
    status = "Progressing",
    message = "The operator has not seen generation " .. tostring(obj.metadata.generation) .. " yet",
  }
end

local conditions = {}
for _, condition in ipairs(status.conditions or {}) do
  conditions[condition.type] = condition
end

-- The first of these that is True decides.
local verdicts = {
  { type = "Suspended", status = "Suspended" },
  { type = "Stalled", status = "Degraded" },
  { type = "Reconciling", status = "Progressing" },
  { type = "Drifted", status = "Degraded" },
  { type = "Ready", status = "Healthy" },
}
for _, verdict in ipairs(verdicts) do
  local condition = conditions[verdict.type]
  if condition ~= nil and condition.status == "True" then
    return { status = verdict.status, message = condition.message or "" }
  end
end

local ready = conditions.Ready or {}
return { status = "Progressing", message = ready.message or "Waiting for the operator" }
