/*
 * The publish protocol of src/engine/publish, small enough to be tried in every interleaving (npm run verify).
 *
 * Two processes take turns at one shard and one user. The user's outputs 1..N are published one by one; an attempt is
 * repeated, by whichever process has the shard or thinks so, until one is acknowledged. A transaction holds an output and
 * the ledger's new last number. Requests to the broker are carried out, or lost, or carried out with the answer lost, or
 * delayed until any later moment; processes crash, or stand still for as long as they like (that is an interleaving);
 * transactions time out; the consumer group moves the shard. FAULTS bounds how many of these happen in one run.
 *
 * Broken on purpose, each must be found: -DNO_FENCE (an id for each process), -DNO_LEDGER (never looked at),
 * -DTWO_TRANSACTIONS (output and ledger apart), -DEARLY_ACK (before the commit), -DREUSE_PRODUCER (after an error),
 * -DGAP_AT_ONCE (judged by an old ledger), -DNO_RETAKE (who was fenced stays away; violates progress only).
 */
#define N 2
#define FAULTS 4
#ifdef NO_FENCE
#define ID (me - 1)
#else
#define ID 0
#endif

mtype = { OUTPUT, LEDGER, SENTINEL, END_TXN, OK, FENCED, UNKNOWN };   /* requests, and what the process learns */

/* What the brokers hold. */
byte holder[2];            /* whose epoch of each transactional id is the newest; a request of any other is refused */
byte txnOutput[2];         /* the open transaction of each id: an output, ... */
byte txnLedger[2];         /* ... the ledger's new last number, ... */
byte txnSentinel[2];       /* ... a sentinel; 0 for none */
byte visible[N + 1];       /* how often each output is in the committed log */
byte ledger;               /* the last number in the committed ledger */
/* What a reader finds who reads the ledger up to the newest sentinel of a process. */
byte restored[3];          /* the last number below it */
bool stands[3], after[3], taken[3];   /* a sentinel of it stands; one of the other stands after that; so at its newest */
/* The world. */
byte assigned = 1;         /* whom the consumer group gave the shard */
byte acked;                /* the last output whose acknowledgement reached the workflow */
byte faults;
mtype late[2];             /* delayed requests: two at a time, in any order; 0 for none */
byte lateId[2], lateFrom[2], lateValue[2];
#define fault (faults < FAULTS) -> faults++
inline commit(id) {
  if
  :: txnOutput[id] > 0 -> visible[txnOutput[id]]++;
       assert(visible[txnOutput[id]] == 1);                                  /* nothing twice */
       assert(txnOutput[id] == 1 || visible[txnOutput[id] - 1] == 1)         /* in order, nothing left out */
  :: else
  fi;
  if :: txnLedger[id] > 0 -> ledger = txnLedger[id] :: else fi;
#ifndef TWO_TRANSACTIONS
  assert(ledger == visible[1] + visible[2]);                                 /* the ledger says what is there */
#endif
  if
  :: txnSentinel[id] > 0 ->
       restored[txnSentinel[id]] = ledger; taken[txnSentinel[id]] = after[txnSentinel[id]]; stands[txnSentinel[id]] = true;
       if :: stands[3 - txnSentinel[id]] -> after[3 - txnSentinel[id]] = true :: else fi
  :: else
  fi;
  txnOutput[id] = 0; txnLedger[id] = 0; txnSentinel[id] = 0
}
inline forget(n) { late[n] = 0; lateId[n] = 0; lateFrom[n] = 0; lateValue[n] = 0 }

/* A new epoch: the open transaction is aborted, and what was sent in an older epoch will be refused whenever it comes,
 * which is the same as forgetting it here, also what the new holder itself had sent before. */
inline newEpoch(id, who) {
  txnOutput[id] = 0; txnLedger[id] = 0; txnSentinel[id] = 0;
  if :: late[0] && lateId[0] == id -> forget(0) :: else fi;
  if :: late[1] && lateId[1] == id -> forget(1) :: else fi;
  holder[id] = who
}

/* The broker's side of a request. */
inline execute(request, id, from, value, answer) {
  d_step {
    answer = OK;
    if
    :: holder[id] != from -> answer = FENCED
    :: holder[id] == from && request == OUTPUT -> txnOutput[id] = value
    :: holder[id] == from && request == LEDGER -> txnLedger[id] = value
    :: holder[id] == from && request == SENTINEL -> txnSentinel[id] = value
    :: holder[id] == from && request == END_TXN -> commit(id)
    fi
  }
}
inline delay(n, request, value) { late[n] = request; lateId[n] = ID; lateFrom[n] = me; lateValue[n] = value; answer = UNKNOWN }

/* The process' side of it: what it asks for, and what it learns. */
inline ask(request, value) {
  if
  :: true -> execute(request, ID, me, value, answer)
  :: atomic { fault; answer = UNKNOWN }                                               /* the request is lost */
  :: atomic { fault; execute(request, ID, me, value, answer); answer = UNKNOWN }      /* its answer is lost */
  :: atomic { !late[0] && faults < FAULTS -> faults++; delay(0, request, value) }     /* it comes later, or never */
  :: atomic { late[0] && !late[1] && faults < FAULTS -> faults++; delay(1, request, value) }
  :: atomic { fault; goto fresh }                                                     /* the process crashes */
  fi;
  if :: answer != OK -> goto failed :: else -> answer = 0 fi
}

/* An acknowledgement promises that the output is committed, whether it arrives or not. */
inline acknowledge() {
  atomic {
    assert(visible[wanted] == 1);
    if :: acked = (wanted > acked -> wanted : acked) :: fault fi;
    wanted = 0
  }
}

proctype Owner(byte me) {
  byte known, wanted;         /* the ledger in its memory; the output it was asked for, 0 for none */
  bool reread;                /* the ledger was read since it was asked */
  mtype answer;
fresh: /* also: lost. It knows nothing, and takes the shard when the group gives it to it. */
  skip;
  d_step { known = 0; wanted = 0; reread = false; stands[me] = false; after[me] = false; answer = 0 };
end_idle:
  (assigned == me);
opening: /* fence, write a sentinel, read the ledger up to it */
  skip;
  d_step { known = 0; answer = 0; newEpoch(ID, me) };
  ask(SENTINEL, me);
  ask(END_TXN, 0);
  if :: taken[me] -> goto fresh :: else fi;   /* another has it: left to it */
#ifdef NO_FENCE
  atomic { txnLedger[2 - me] == 0 -> restored[me] = ledger };   /* reading waits for open transactions of others */
#endif
  d_step { known = restored[me]; reread = true };
  if :: wanted > 0 -> goto judge :: else fi;
end_ready:
  if
  :: atomic { acked < N -> wanted = acked + 1; reread = false }          /* the next attempt */
  :: atomic { acked > 0 && faults < FAULTS -> faults++; wanted = acked; reread = false }   /* an old one, repeated */
  :: assigned != me -> goto fresh
  fi;
judge:
  if
#ifndef NO_LEDGER
  :: wanted <= known -> acknowledge(); goto end_ready
#endif
  :: wanted > known + 1 ->
#ifndef GAP_AT_ONCE
       if :: !reread -> goto opening :: else fi;   /* believed only of a ledger that was read after the request came */
#endif
       assert(false)                               /* no false alarm */
  :: else
  fi;
#ifdef EARLY_ACK
  acked = (wanted > acked -> wanted : acked);
  assert(visible[wanted] == 1);
#endif
  ask(OUTPUT, wanted);
#ifdef TWO_TRANSACTIONS
  ask(END_TXN, 0);
#endif
  ask(LEDGER, wanted);
  ask(END_TXN, 0);
  known = wanted;
  acknowledge();
  goto end_ready;
failed: /* fenced: lost. Anything else: what became of the transaction is read from the ledger, behind a new fence. */
  if
#ifdef NO_RETAKE
  :: answer == FENCED -> end_gone: false
#else
  :: answer == FENCED -> goto fresh
#endif
#ifdef REUSE_PRODUCER
  :: answer == UNKNOWN && wanted > 0 -> goto judge
  :: answer == UNKNOWN && wanted == 0 -> goto opening
#else
  :: answer == UNKNOWN -> goto opening
#endif
  fi
}

/* Delayed requests arrive. */
proctype Network() {
  mtype answer;
end:
  do
  :: atomic { late[0] -> execute(late[0], lateId[0], lateFrom[0], lateValue[0], answer); answer = 0; forget(0) }
  :: atomic { late[1] -> execute(late[1], lateId[1], lateFrom[1], lateValue[1], answer); answer = 0; forget(1) }
  od
}

/* The group moves the shard; the coordinator ends an open transaction whose time is over, and fences its producer. */
proctype Cluster() {
end:
  do
  :: atomic { fault; assigned = 3 - assigned }
  :: atomic { txnOutput[0] + txnLedger[0] + txnSentinel[0] > 0 && faults < FAULTS -> faults++;
              newEpoch(0, 0) }
  od
}

init { atomic { run Owner(1); run Owner(2); run Network(); run Cluster() } }

/* However it began: when the faults are over, everything is published and acknowledged. */
ltl progress { <> (acked == N) }
