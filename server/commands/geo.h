#pragma once

namespace redraft::commands {

class Context;

// The commands on places, which are sorted sets with geohashes as scores.
void geoadd(Context& context);
void geodist(Context& context);
void geohash(Context& context);
void geopos(Context& context);

void geosearch(Context& context);
void geosearchstore(Context& context);
void georadius(Context& context);
void georadius_ro(Context& context);
void georadiusbymember(Context& context);
void georadiusbymember_ro(Context& context);

}  // namespace redraft::commands
