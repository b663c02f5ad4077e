"""Random commands of every family, valid and half valid: what fuzz.py sends to both servers."""

# Not here: SWAPDB, which may abort a transaction whose keys it did not change (a collision, as the design allows), XSETID
# and XGROUP CREATECONSUMER, where 7.0 and 7.2 differ. Scripts beside this file have them.
# The words of a template, separated by blanks; [a,b] is one of them, a trailing + repeats, a trailing ? is left out
# half of the time:
#   K a key, mostly of the template's family   J any key   V value   M member   F field   I integer   S small count
#   D float   E seconds that outlast the test   G a glob   Z score   ZR score limit   LR lexical limit   X stream id
#   XR stream range end   P a payload of DUMP   B bit offset   T bitfield type   O longitude latitude   Q group   C consumer
FAMILIES = {
    "string": """GET K;SET K V;SET K V [NX,XX,GET,KEEPTTL];SET K V [EX,PX] E;SET K V [NX,XX] GET;SETNX K V;SETEX K E V
PSETEX K E V;GETSET K V;GETDEL K;GETEX K;GETEX K [EX,PX] E;GETEX K PERSIST;APPEND K V;STRLEN K;INCR K;DECR K;INCRBY K I
DECRBY K I;INCRBYFLOAT K D;MGET K+;MSET K V K V;MSETNX K V K V;GETRANGE K I I;SUBSTR K I I;SETRANGE K S V
LCS K K [LEN,IDX]?;LCS K K IDX MINMATCHLEN S WITHMATCHLEN""",
    "list": """LPUSH K M+;RPUSH K M+;LPUSHX K M;RPUSHX K M+;LPOP K;RPOP K;LPOP K S;RPOP K S;LLEN K;LINDEX K I
LRANGE K I I;LSET K I M;LINSERT K [BEFORE,AFTER] M M;LREM K I M;LTRIM K I I;LPOS K M;LPOS K M RANK I COUNT S
LPOS K M MAXLEN S;RPOPLPUSH K K;LMOVE K K [LEFT,RIGHT] [LEFT,RIGHT];LMPOP 2 K K [LEFT,RIGHT] COUNT S""",
    "set": """SADD K M+;SREM K M+;SCARD K;SISMEMBER K M;SMISMEMBER K M+;SMEMBERS K;SMOVE K K M;SINTER K+;SUNION K+
SDIFF K+;SINTERSTORE K K+;SUNIONSTORE K K+;SDIFFSTORE K K+;SINTERCARD 2 K K LIMIT S;SRANDMEMBER K 1000
SSCAN K 0 COUNT 1000;SPOP K 1000""",
    "hash": """HSET K F V;HSET K F V F V;HSETNX K F V;HMSET K F V;HGET K F;HMGET K F+;HGETALL K;HDEL K F+;HEXISTS K F
HINCRBY K F I;HINCRBYFLOAT K F D;HKEYS K;HVALS K;HLEN K;HSTRLEN K F;HSCAN K 0 COUNT 1000;HRANDFIELD K 1000""",
    "sorted_set": """ZADD K Z M;ZADD K Z M Z M;ZADD K [NX,XX,GT,LT,CH] Z M;ZADD K [XX,NX] [CH,GT] Z M;ZADD K INCR Z M
ZINCRBY K D M;ZREM K M+;ZSCORE K M;ZMSCORE K M+;ZRANK K M;ZREVRANK K M;ZCARD K;ZCOUNT K ZR ZR
ZRANGE K I I;ZRANGE K I I WITHSCORES;ZRANGE K I I REV;ZRANGE K ZR ZR BYSCORE;ZRANGE K ZR ZR BYSCORE LIMIT S S
ZREVRANGE K I I;ZRANGEBYSCORE K ZR ZR;ZRANGEBYSCORE K ZR ZR WITHSCORES LIMIT S S
ZREVRANGEBYSCORE K ZR ZR;ZRANGESTORE K K I I;ZPOPMIN K;ZPOPMAX K S
ZMPOP 2 K K [MIN,MAX] COUNT S;ZREMRANGEBYRANK K I I;ZREMRANGEBYSCORE K ZR ZR
ZUNION 2 K K WITHSCORES;ZINTER 2 K K WEIGHTS D D;ZINTER 2 K K AGGREGATE [SUM,MIN,MAX] WITHSCORES;ZDIFF 2 K K
ZUNIONSTORE K 2 K K WEIGHTS D D;ZINTERSTORE K 2 K K;ZDIFFSTORE K 2 K K;ZINTERCARD 2 K K LIMIT S;ZRANDMEMBER K 1000
ZSCAN K 0 COUNT 1000""",
    "lexical": """ZADD K 0 M;ZADD K 0 M 0 M;ZREM K M;ZLEXCOUNT K LR LR;ZRANGE K LR LR BYLEX;ZRANGE K LR LR BYLEX REV
ZRANGE K LR LR BYLEX LIMIT S S;ZRANGEBYLEX K LR LR;ZREVRANGEBYLEX K LR LR;ZREMRANGEBYLEX K LR LR;ZRANK K M;DEL K""",
    "geo": """GEOADD K O M;GEOADD K [NX,XX,CH] O M;GEODIST K M M [m,km,ft,mi]?;GEOHASH K M+;GEOPOS K M+
GEOSEARCH K FROMMEMBER M BYRADIUS S00 km ASC;GEOSEARCH K FROMLONLAT O BYBOX S000 S000 km DESC WITHDIST COUNT S
GEOSEARCHSTORE K K FROMLONLAT O BYRADIUS S00 km;GEORADIUS K O S00 km ASC;GEORADIUSBYMEMBER K M S00 km DESC""",
    "bitmap": """SETBIT K B [0,1];GETBIT K B;BITCOUNT K;BITCOUNT K I I [BYTE,BIT]?;BITPOS K [0,1];BITPOS K [0,1] I
BITPOS K [0,1] I I [BYTE,BIT]?;BITOP [AND,OR,XOR] K K+;BITOP NOT K K;BITFIELD K GET T B SET T B I INCRBY T B I
BITFIELD K OVERFLOW [WRAP,SAT,FAIL] INCRBY T B I SET T B I;BITFIELD_RO K GET T B""",
    "hyperloglog": """PFADD K M+;PFADD K M;PFADD K;PFCOUNT K;PFCOUNT K K;PFMERGE K K+;GET K;PFDEBUG ENCODING K
PFDEBUG TODENSE K""",
    "stream": """XADD K X F V;XADD K X F V F V;XADD K MAXLEN S X F V;XADD K NOMKSTREAM X F V;XADD K MINID ~ X X F V;XLEN K
XRANGE K XR XR;XRANGE K XR XR COUNT S;XREVRANGE K XR XR;XDEL K X+;XTRIM K MAXLEN S;XTRIM K MINID X
XREAD COUNT S STREAMS K X;XREAD STREAMS K K X X;XGROUP CREATE K Q [0,$] [MKSTREAM]?;XGROUP DESTROY K Q
XGROUP DELCONSUMER K Q C;XGROUP SETID K Q [0,$]
XREADGROUP GROUP Q C COUNT S STREAMS K >;XREADGROUP GROUP Q C STREAMS K 0;XACK K Q X+;XPENDING K Q
XCLAIM K Q C 0 X+ JUSTID;XAUTOCLAIM K Q C 0 0 COUNT S JUSTID""",
    "generic": """DEL J+;UNLINK J;EXISTS J+;TYPE J;RENAME J J;RENAMENX J J;COPY J J;COPY J J REPLACE;TOUCH J+;DBSIZE
EXPIRE J E;PEXPIRE J E [NX,XX,GT,LT];PERSIST J;EXPIRE J -1;OBJECT REFCOUNT nokey;MOVE J 1;SELECT [0,0,0,1]
KEYS G;SORT J ALPHA;SORT J;SORT J LIMIT S S ALPHA DESC;SORT J ALPHA STORE J;RESTORE J 0 P REPLACE;RESTORE J 0 P
RESTORE J E P REPLACE;MULTI;EXEC;EXEC;EXEC;DISCARD;WATCH J;UNWATCH;EXPIRETIME nokey;DUMP nokey""",
}

# Ranges by text are defined where all scores are equal only, places where scores are geohashes: no other family's command
# meets these keys.
APART = ("lexical", "geo")
KEYS = [f"{family}:{i}" for family in FAMILIES if family not in ("generic", *APART) for i in range(3)]
MEMBERS = ["1", "2", "3", "-7", "x", "y", "zebra", "", "10000000000", "word " * 15]
FIELDS = ["f", "g", "1", "", "long field " * 8]
VALUES = ["", "0", "5", "-3", "9223372036854775807", "3.5", "text", "x" * 50, "\r\n", "  7", "\x00\x7f"]
INTEGERS = ["0", "1", "-1", "2", "-2", "5", "100", "-100", "9223372036854775807", "abc", "1.5", ""]
FLOATS = ["0.5", "-1", "1e3", "abc", "3", "inf", "-inf", "nan", "0.1", ""]
SCORES = ["0", "1", "1", "2", "-1.5", "3.25", "inf", "-inf", "nan", "1e10", "x"]
SCORE_LIMITS = ["0", "1", "(1", "2", "(2", "-inf", "+inf", "inf", "(x", "x", "-1.5"]
LEXICAL_LIMITS = ["-", "+", "[a", "(x", "[x", "[zebra", "(", "x", "[", "[y"]
IDS = ["1-1", "1-2", "2-1", "2", "3-0", "5-5", "7-1", "10-0", "0-0", "x", "1-*", "20-1", "18446744073709551615-1", "-1"]
RANGE_ENDS = ["-", "+", "1", "2-1", "(1-1", "(3", "5-5", "x", "("]
OFFSETS = ["0", "1", "7", "8", "100", "1000", "#1", "-1", "x", "33000", "40000"]
FIELD_TYPES = ["u8", "i8", "u1", "i64", "u63", "i5", "u64", "x"]
PLACES = [("13.361389", "38.115556"), ("15.087269", "37.502669"), ("-180", "85.05"), ("0", "0"), ("181", "0"), ("x", "1")]
TOKENS = ["NX", "XX", "GET", "COUNT", "LIMIT", "WITHSCORES", "BIT", "STREAMS", "0", "-1", "abc", "", "MAXLEN", "~", "=",
          "REPLACE", "KEEPTTL", "5", "REV", "BYLEX", "WEIGHTS", "MATCH"]
POOLS = {"V": VALUES, "M": MEMBERS, "F": FIELDS, "I": INTEGERS, "D": FLOATS, "Z": SCORES, "ZR": SCORE_LIMITS,
         "LR": LEXICAL_LIMITS, "X": IDS, "XR": RANGE_ENDS, "B": OFFSETS, "T": FIELD_TYPES, "G": ["*", "s*", "[a-z]*:1", "?"],
         "Q": ["group", "other"], "C": ["alice", "bob"]}


class Generator:
    """Commands of one seed. `families` are those that both servers offer; `payloads` are DUMPs that RESTORE may get."""

    def __init__(self, rng, families, payloads):
        self.rng, self.payloads = rng, payloads or [b""]
        self.templates = [(family, template) for family in families
                          for template in FAMILIES[family].replace("\n", ";").split(";")]

    def key(self, family):
        if family == "generic" or (family not in APART and self.rng.random() < 0.08):
            return self.rng.choice(KEYS)
        return f"{family}:{self.rng.randrange(3)}"

    def one(self, part, family):
        rng = self.rng
        if part == "K":
            return [self.key(family)]
        if part == "J":
            return [rng.choice(KEYS)]
        if part == "E":
            return [str(rng.randrange(1_000_000, 9_000_000))]
        if part == "O":
            return list(rng.choice(PLACES))
        if part == "P":
            return [rng.choice(self.payloads)]
        if part[0] == "S" and part.strip("S0") == "":
            return [str(rng.randrange(0, 6)) + part[1:]]
        if part in POOLS:
            pool = POOLS[part]
            # Most are sensible, so that something happens; the last of some pools are not.
            return [rng.choice(pool)]
        if part[0] == "[":
            return [rng.choice(part[1:-1].split(","))]
        return [part]

    def command(self):
        rng = self.rng
        family, template = rng.choice(self.templates)
        words = []
        for part in template.split(" "):
            optional, repeat = part.endswith("?") and len(part) > 1, part.endswith("+") and len(part) > 1
            if optional and rng.random() < 0.5:
                continue
            for _ in range(rng.randrange(1, 5) if repeat else 1):
                words += self.one(part.rstrip("?") if optional else part.rstrip("+") if repeat else part, family)
        spoils = rng.random() < 0.12 and family not in APART and words[0] not in UNSPOILT
        return self.spoil(words) if spoils else words

    def spoil(self, words):
        """Half valid: a word too few, too many or of another kind."""
        rng, words = self.rng, list(words)
        kind = rng.randrange(4)
        at = rng.randrange(1, len(words)) if len(words) > 1 else 1
        if kind == 0 and len(words) > 1:
            del words[at]
        elif kind == 1:
            words.insert(at, rng.choice(TOKENS))
        elif kind == 2 and len(words) > 1:
            words[at] = rng.choice(TOKENS)
        else:
            words.append(rng.choice(TOKENS))
        return words


# Spoiling these would wait, choose at random, or show what differs between two correct servers (ZRANK has an option
# since 7.2).
UNSPOILT = {"ZRANK", "ZREVRANK", "ZINCRBY", "SRANDMEMBER", "SPOP", "HRANDFIELD", "ZRANDMEMBER", "SSCAN", "HSCAN", "ZSCAN",
            "XADD", "XREAD", "XREADGROUP", "SORT", "KEYS", "XAUTOCLAIM", "XCLAIM", "DUMP", "SELECT", "OBJECT", "DBSIZE", "XPENDING"}
