#!/usr/bin/env perl

# Prints the lines of an scp, or of any file with fields, whose id is in a list. The
# list is any file whose first field is an id. Order and lines stay as they are.

use strict;
use warnings;

my $usage = <<'END';
Usage: filter_scp.pl [--exclude] [-f FIELD] ID-LIST [IN] > OUT
Prints the lines of IN (default: stdin) whose field number FIELD (default: 1) is the
first field of a line of ID-LIST; with --exclude, the other lines.
END

my ($exclude, $field) = (0, 1);
while (@ARGV && $ARGV[0] =~ /^-./) {
    my $option = shift @ARGV;
    if ($option eq '--exclude') { $exclude = 1 }
    elsif ($option eq '-f' && "@ARGV" =~ /^[1-9]\d*( |$)/) { $field = shift @ARGV }
    else { die "$0: invalid option $option\n$usage" }
}
die $usage if @ARGV < 1 || @ARGV > 2;

my ($list, $in) = @ARGV;
my %listed;
each_line($list, sub { $listed{ $_[0] } = 1 }, 1);
each_line($in, sub { print $_[1] if exists $listed{ $_[0] } xor $exclude }, $field);
close(STDOUT) or die "$0: cannot write the output: $!\n";

# Calls $do with the wanted field and the line.
sub each_line {
    my ($name, $do, $wanted) = @_;
    my $file;
    $name //= '-';
    my $opened = $name eq '-' ? open($file, '<&', \*STDIN) : open($file, '<', $name);
    die "$0: cannot read $name: $!\n" if !$opened;
    while (my $line = <$file>) {
        my @fields = split(' ', $line, $wanted + 1);
        die(sprintf("%s: %s:%d: expected %d or more fields, got: %s\n",
            $0, $name, $., $wanted, $line =~ s/\n//r))
            if @fields < $wanted || $fields[$wanted - 1] eq '';
        (my $id = $fields[$wanted - 1]) =~ s/\s+$//;
        $do->($id, $line);
    }
    close($file);
    return;
}
