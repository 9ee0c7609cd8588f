#!/usr/bin/env perl

# Runs a command, or the tasks of an array, as one job of Grid Engine, and waits for it.
# Exit status: 0 if every task ended with 0, else 1, and 128+N after the signals INT,
# TERM and HUP, which delete the job. A job in an error state is an error here too.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use BatchRun;
use CmdLine;
use GridEngine;

my $usage = <<'END';
Usage: queue.pl [options] [JOB=1:N] LOG command args...
e.g.:  queue.pl --mem 4G -l arch=*64* JOB=1:100 exp/log/feats.JOB.log \
         compute-feats JOB
Options, turned into those of qsub by conf/queue.conf:
  --config FILE      another config file
  --time H:MM:SS, --mem 4G, --num-threads N, --gpu N, --num-nodes N, --name X
  --max-jobs-run N   so many tasks of the array at a time
  --pick all|failed|incomplete|none
                     which tasks run again, as in run.pl
Options with one dash are passed to qsub with their value (-sync y changes nothing).
The job script is q/X.sh beside the log, Grid Engine's own output is in q/X.log.
QUEUE_GRACE_SECONDS (70) is how late files of other hosts may appear here.
END

exit BatchRun::run_batch(GridEngine->new, CmdLine::parse($usage, @ARGV),
    "$FindBin::RealBin/../conf");
