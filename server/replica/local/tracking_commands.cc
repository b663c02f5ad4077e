#include "resp/number.h"
#include "server/replica/local/handlers.h"
#include "server/replica/tracking.h"

// CLIENT TRACKING, CACHING, TRACKINGINFO and GETREDIR (redis.io/docs/manual/client-side-caching).

namespace redraft::replica::local {

namespace {

constexpr std::string_view kOtherOptMode =
    "ERR You can't switch OPTIN/OPTOUT mode before disabling tracking for this client, and then re-enabling it with a "
    "different mode.";
constexpr std::string_view kOtherBroadcastMode =
    "ERR You can't switch BCAST mode on/off before disabling tracking for this client, and then re-enabling it with a "
    "different mode.";

struct Request {
  TrackingState state;
  std::vector<std::string_view> prefixes;  // as given
};

bool read_redirect(LocalContext& context, std::size_t i, TrackingState& state) {
  const auto refuse = [&](std::string_view why) {
    context.reply.error(why);
    return false;
  };
  if (state.redirect != 0) return refuse("ERR A client can only redirect to a single other client");
  const std::optional<std::int64_t> id = resp::parse_int64(context.arguments[i]);
  if (!id) return refuse(kNotAnInteger);
  if (context.actions.find_session(static_cast<std::uint64_t>(*id)) == nullptr) {
    return refuse("ERR The client ID you want redirect to does not exist");
  }
  state.redirect = static_cast<std::uint64_t>(*id);
  return true;
}

bool read_options(LocalContext& context, Request& request) {
  for (std::size_t i = 3; i < context.arguments.size(); ++i) {
    const bool more = i + 1 < context.arguments.size();
    if (argument_is(context, i, "redirect") && more) {
      if (!read_redirect(context, ++i, request.state)) return false;
    } else if (argument_is(context, i, "bcast")) {
      request.state.broadcast = true;
    } else if (argument_is(context, i, "optin")) {
      request.state.opt_in = true;
    } else if (argument_is(context, i, "optout")) {
      request.state.opt_out = true;
    } else if (argument_is(context, i, "noloop")) {
      request.state.no_loop = true;
    } else if (argument_is(context, i, "prefix") && more) {
      request.prefixes.push_back(context.arguments[++i]);
    } else {
      context.reply.error(kSyntaxError);
      return false;
    }
  }
  return true;
}

// Prefixes of which one begins with the other would tell a client of a key twice. Empty when there are none.
std::string overlap(const Request& request, const TrackingState* present) {
  const auto overlaps = [](std::string_view a, std::string_view b) { return a.starts_with(b) || b.starts_with(a); };
  const auto describe = [](std::string_view a, std::string_view which, std::string_view b) {
    return "ERR Prefix '" + std::string(a) + "' overlaps with " + std::string(which) + " prefix '" + std::string(b) +
           "'. Prefixes for a single client must not overlap.";
  };
  for (std::size_t i = 0; i < request.prefixes.size(); ++i) {
    if (present != nullptr) {
      for (const std::string& known : present->prefixes) {
        if (overlaps(request.prefixes[i], known)) return describe(request.prefixes[i], "an existing", known);
      }
    }
    for (std::size_t j = i + 1; j < request.prefixes.size(); ++j) {
      if (overlaps(request.prefixes[i], request.prefixes[j])) {
        return describe(request.prefixes[i], "another provided", request.prefixes[j]);
      }
    }
  }
  return {};
}

// What speaks against the options, or nothing.
std::string objection(const Request& request, const TrackingState* present) {
  const TrackingState& wanted = request.state;
  if (!wanted.broadcast && !request.prefixes.empty()) return "ERR PREFIX option requires BCAST mode to be enabled";
  if (present != nullptr && present->broadcast != wanted.broadcast) return std::string(kOtherBroadcastMode);
  if (wanted.broadcast && (wanted.opt_in || wanted.opt_out)) {
    return "ERR OPTIN and OPTOUT are not compatible with BCAST";
  }
  if (wanted.opt_in && wanted.opt_out) return "ERR You can't specify both OPTIN mode and OPTOUT mode";
  if (present != nullptr && ((wanted.opt_in && present->opt_out) || (wanted.opt_out && present->opt_in))) {
    return std::string(kOtherOptMode);
  }
  return wanted.broadcast ? overlap(request, present) : std::string();
}

}  // namespace

void client_tracking(LocalContext& context) {
  Request request;
  if (!read_options(context, request)) return;
  Session& session = context.session;
  if (argument_is(context, 2, "off")) {
    context.actions.tracking().disable(session);
    return context.reply.ok();
  }
  if (!argument_is(context, 2, "on")) return context.reply.error(kSyntaxError);
  const std::string why = objection(request, session.tracking.get());
  if (!why.empty()) return context.reply.error(why);
  for (const std::string_view prefix : request.prefixes) request.state.prefixes.emplace(prefix);
  context.actions.tracking().enable(session, std::move(request.state));
  context.reply.ok();
}

void client_caching(LocalContext& context) {
  TrackingState* state = context.session.tracking.get();
  if (state == nullptr) {
    return context.reply.error(
        "ERR CLIENT CACHING can be called only when the client is in tracking mode with OPTIN or OPTOUT mode enabled");
  }
  if (argument_is(context, 2, "yes")) {
    if (!state->opt_in) {
      return context.reply.error("ERR CLIENT CACHING YES is only valid when tracking is enabled in OPTIN mode.");
    }
  } else if (argument_is(context, 2, "no")) {
    if (!state->opt_out) {
      return context.reply.error("ERR CLIENT CACHING NO is only valid when tracking is enabled in OPTOUT mode.");
    }
  } else {
    return context.reply.error(kSyntaxError);
  }
  state->caching = true;
  context.reply.ok();
}

void client_getredir(LocalContext& context) {
  const TrackingState* state = context.session.tracking.get();
  context.reply.integer(state == nullptr ? -1 : static_cast<std::int64_t>(state->redirect));
}

void client_trackinginfo(LocalContext& context) {
  const TrackingState* state = context.session.tracking.get();
  std::vector<std::string_view> flags{state == nullptr ? "off" : "on"};
  const auto flag = [&flags](bool set, std::string_view word) {
    if (set) flags.push_back(word);
  };
  if (state != nullptr) {
    flag(state->broadcast, "bcast");
    flag(state->opt_in, "optin");
    flag(state->opt_in && state->caching, "caching-yes");
    flag(state->opt_out, "optout");
    flag(state->opt_out && state->caching, "caching-no");
    flag(state->no_loop, "noloop");
    flag(state->broken_redirect, "broken_redirect");
  }
  context.reply.map(3);
  context.reply.bulk("flags");
  context.reply.set(flags.size());
  for (const std::string_view word : flags) context.reply.bulk(word);
  context.reply.bulk("redirect");
  client_getredir(context);
  context.reply.bulk("prefixes");
  context.reply.array(state == nullptr ? 0 : state->prefixes.size());
  if (state == nullptr) return;
  for (const std::string& prefix : state->prefixes) context.reply.bulk(prefix);
}

}  // namespace redraft::replica::local
